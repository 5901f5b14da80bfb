"""Settings that tests share."""

ENVIRONMENT = """
[[environment]]
name = "production"
[environment.target]
command = ["{prefix}/bin/quotes", "--port", "{port}"]
[environment.traffic]
port = 8000
"""
CHECK = """
[[environment.check]]
name = "latency"
query = 'max(latency_seconds{version="{version}"})'
max = 0.5
metrics = { url = "http://127.0.0.1:9090" }
"""

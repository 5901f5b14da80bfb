"""Settings that tests share."""

ENVIRONMENT = """
[[environment]]
name = "production"
[environment.target]
command = ["{prefix}/bin/quotes", "--port", "{port}"]
[environment.traffic]
port = 8000
"""

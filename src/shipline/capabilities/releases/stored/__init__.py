"""What releases keep of reports: findings as rows, and what later reports are compared with (ADR 0018)."""

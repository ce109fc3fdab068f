"""The face of the policy service: agent ingest, health API, admin API, console, alerts, reports and the server's commands."""

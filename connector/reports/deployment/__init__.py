"""The files that have systemd, cron, Windows or Kubernetes run the nightly job."""

"""The nightly job as a Kubernetes CronJob, with the volume that keeps its state."""

import json

from connector.reports.deployment.job import NIGHTLY, Job, JobFile

_SECRETS = "/run/secrets/connector"


def kubernetes_files(job: Job) -> tuple[JobFile, ...]:
    """Return the manifest; text is written as JSON writes it, which is YAML too."""
    items = "".join(f"                        - {{key: {name}, path: {name}}}\n" for name in job.secrets)
    settings = "".join(
        f'                - {{name: {name}_FILE, value: "{_SECRETS}/{name}"}}\n' for name in job.secrets
    )
    schedule = json.dumps(f"{job.minute} {job.hour} * * *")
    return (
        JobFile(
            "connector.yaml",
            f"""\
# The ConfigMaps connector-settings and connector-mappings and the Secret connector are yours to make.
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: connector-state
spec:
  accessModes: [ReadWriteOnce]
  resources:
    requests:
      storage: 2Gi
---
apiVersion: batch/v1
kind: CronJob
metadata:
  name: connector-nightly
spec:
  schedule: {schedule}
  timeZone: {json.dumps(job.timezone)}
  concurrencyPolicy: Forbid
  startingDeadlineSeconds: 21600
  successfulJobsHistoryLimit: 3
  failedJobsHistoryLimit: 7
  jobTemplate:
    spec:
      # The next night makes up for a failed one. Exit code 3, a person must decide, shows as failed, too.
      backoffLimit: 0
      activeDeadlineSeconds: 21600
      template:
        metadata:
          labels:
            app.kubernetes.io/name: connector
        spec:
          restartPolicy: Never
          automountServiceAccountToken: false
          enableServiceLinks: false
          securityContext:
            runAsNonRoot: true
            runAsUser: 10001
            runAsGroup: 10001
            fsGroup: 10001
            fsGroupChangePolicy: OnRootMismatch
            seccompProfile:
              type: RuntimeDefault
          containers:
            - name: connector
              image: {json.dumps(job.image)}
              args: [{NIGHTLY}]
              envFrom:
                - configMapRef:
                    name: connector-settings
              env:
                - {{name: CONNECTOR_STATE, value: /data/state}}
                - {{name: CONNECTOR_MAPPINGS, value: /etc/connector/mappings.yaml}}
{settings}\
              securityContext:
                allowPrivilegeEscalation: false
                readOnlyRootFilesystem: true
                capabilities:
                  drop: [ALL]
              resources:
                requests:
                  cpu: 100m
                  memory: 256Mi
                limits:
                  memory: 1Gi
              volumeMounts:
                - {{name: state, mountPath: /data}}
                - {{name: tmp, mountPath: /tmp}}
                - {{name: mappings, mountPath: /etc/connector, readOnly: true}}
                - {{name: secrets, mountPath: {_SECRETS}, readOnly: true}}
          volumes:
            - name: state
              persistentVolumeClaim:
                claimName: connector-state
            - name: tmp
              emptyDir:
                sizeLimit: 256Mi
            - name: mappings
              configMap:
                name: connector-mappings
            - name: secrets
              projected:
                defaultMode: 0440
                sources:
                  - secret:
                      name: connector
                      items:
{items}""",
        ),
    )

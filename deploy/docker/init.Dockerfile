# For an init container: it copies the folder into a volume that SPIRE Server mounts at /opt/spire-aws-kms.
#
#   docker build -f deploy/docker/Dockerfile --target plugin -t spire-aws-kms-plugin .
#   docker build -f deploy/docker/init.Dockerfile -t spire-aws-kms-init .
FROM spire-aws-kms-plugin AS plugin

FROM busybox:1.37-musl
COPY --from=plugin /opt/spire-aws-kms /opt/spire-aws-kms
USER 1000:1000
ENTRYPOINT ["cp", "-a", "/opt/spire-aws-kms/.", "/plugin/"]

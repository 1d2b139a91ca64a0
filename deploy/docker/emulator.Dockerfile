# The embedded AWS KMS as a service, for tests and trials. From the root of the repository:
#
#   docker build -f deploy/docker/emulator.Dockerfile -t aws-kms-emulator .
#   docker run --rm -p 127.0.0.1:4566:4566 -v kms-tls:/tls aws-kms-emulator --tls --tls-folder /tls --tls-name kms
#
# Other containers of the network reach it as https://kms:4566 and trust /tls/ca.pem. Without the --tls flags it serves http://.
FROM node:24-bookworm-slim AS build
WORKDIR /src
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY . .
RUN npm run build && mkdir /tls /data

FROM node:24-bookworm-slim
COPY --from=build /src/dist/bin/spire-aws-kms /usr/local/bin/spire-aws-kms
# Volumes take their owner from here.
COPY --from=build --chown=node:node /tls /tls
COPY --from=build --chown=node:node /data /data
USER node
EXPOSE 4566
ENTRYPOINT ["spire-aws-kms", "emulator", "--listen", "0.0.0.0:4566"]

# One image for every role; see compose.yaml. The server runs TypeScript directly; only the operators' web app is built.
FROM node:24-bookworm-slim AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY patches ./patches
# What builds the dashboard is no part of this stage; the install scripts of the packages are. The image brings its own Node, so
# the package of it goes: 310 of 487 MB. PostgreSQL stays, for where no datasource is configured.
RUN npm pkg delete scripts.prepare && npm ci --omit=dev && rm -r node_modules/node node_modules/.bin/node

FROM node:24-bookworm-slim AS dashboard
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY tsconfig.json ./
COPY src/api/operator/wire ./src/api/operator/wire
COPY src/dashboard ./src/dashboard
RUN npm run build

FROM node:24-bookworm-slim
WORKDIR /app
ENV NODE_ENV=production \
    G2P_BRIDGE_HOST=0.0.0.0 \
    G2P_BRIDGE_PORT=8000 \
    G2P_BRIDGE_DATA_DIR=/data
COPY --from=packages /app/node_modules ./node_modules
COPY package.json LICENSE ./
COPY drizzle ./drizzle
COPY src ./src
COPY --from=dashboard /app/dist ./dist
RUN mkdir /data && chown node:node /data
# Where the root file system is read-only, this and /tmp are all that can be written to: the embedded PostgreSQL, if it is
# used, keeps its cluster here.
VOLUME /data
USER node
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.G2P_BRIDGE_PORT}/healthz`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# A small young generation: bodies and batches are short-lived, and the default lets them pile up to hundreds of MB.
ENTRYPOINT ["node", "--max-semi-space-size=4", "src/cli/main.ts"]
CMD ["serve"]

# Corkboard as an image: small, without root, all that it keeps in /data. docs/deploying.md says how it is run.
#
# Debian 13 with Python 3.13, both of which get security fixes for years. The tag names no patch release: building again brings the fixes.
ARG PYTHON=python:3.13-slim-trixie

FROM ${PYTHON} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_ROOT_USER_ACTION=ignore
WORKDIR /src
RUN python -m venv --without-pip /opt/corkboard
# First what seldom changes. Wheels with the hashes that were tested: nothing is compiled, nothing else is taken.
COPY requirements.txt ./
RUN pip --python /opt/corkboard/bin/python install --require-hashes --no-deps --only-binary :all: --requirement requirements.txt
COPY pyproject.toml README.md LICENSE manifest.yml ./
COPY bot bot
COPY webhooks webhooks
COPY storage storage
COPY sandbox sandbox
RUN pip --python /opt/corkboard/bin/python install --no-deps --no-build-isolation . \
 && pip --python /opt/corkboard/bin/python uninstall --yes setuptools

FROM ${PYTHON}
LABEL org.opencontainers.image.title="Corkboard" \
      org.opencontainers.image.description="Pins Thumbtack leads into Slack, and sends the team's thread replies to the customer." \
      org.opencontainers.image.licenses="MIT"
# Numbers that stay: the volume's files belong to them, whoever builds.
RUN groupadd --gid 10001 corkboard \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /data --shell /usr/sbin/nologin corkboard \
 && install --directory --owner=10001 --group=10001 --mode=0700 /data
COPY --from=build /opt/corkboard /opt/corkboard
# The database, and its key beside it, are on the volume wherever a command is started.
ENV PATH=/opt/corkboard/bin:$PATH \
    DATABASE_URL=sqlite+aiosqlite:////data/corkboard.db
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8000
# Healthy: a webhook can be stored. By hand and not by urllib, which would ask a proxy where one is set.
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import http.client as h; c = h.HTTPConnection('127.0.0.1', 8000, timeout=4); c.request('GET', '/readyz'); raise SystemExit(c.getresponse().status != 200)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["corkboard"]
CMD ["serve", "--host", "0.0.0.0"]

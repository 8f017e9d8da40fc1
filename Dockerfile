# syntax=docker/dockerfile:1
# Two stages, the same lock as everywhere: the first builds an environment, the second only runs it.

FROM python:3.11-slim AS build
WORKDIR /src
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/hub
COPY requirements/ requirements/
RUN /opt/hub/bin/pip install --require-hashes -r requirements/hub.txt
RUN python -m venv /opt/build && /opt/build/bin/pip install --require-hashes -r requirements/dev.txt
COPY pyproject.toml README.md ./
COPY hub/ hub/
COPY connectors/ connectors/
COPY schema/ schema/
COPY migrations/ migrations/
RUN /opt/build/bin/python -m hatchling build -t wheel -d /dist \
    && /opt/hub/bin/pip install --no-deps --no-index /dist/*.whl \
    && /opt/hub/bin/pip uninstall -y pip setuptools

FROM python:3.11-slim AS run
RUN groupadd --system --gid 10001 hub \
    && useradd --system --uid 10001 --gid hub --home-dir /var/lib/hub --shell /usr/sbin/nologin hub \
    && install -d -o hub -g hub -m 0700 /var/lib/hub \
    && rm -rf /usr/local/lib/python3.11/site-packages/pip* /usr/local/lib/python3.11/ensurepip /usr/local/bin/pip*
COPY --from=build /opt/hub /opt/hub
ENV PATH=/opt/hub/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HUB_HOME=/var/lib/hub \
    HUB_HOST=0.0.0.0
USER 10001:10001
VOLUME ["/var/lib/hub"]
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=3s CMD ["python", "-c", "import os, socket; socket.create_connection(('127.0.0.1', int(os.environ.get('HUB_PORT', '8080'))), 2)"]
ENTRYPOINT ["hub"]
CMD ["serve"]

# The operator alone: no vLLM, no compiler, no pip. Any Debian-like image with Python 3.11 or later and `venv` can be BASE.
ARG BASE=docker.io/library/python:3.11-slim-bookworm

FROM ${BASE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_ROOT_USER_ACTION=ignore
WORKDIR /source
COPY requirements/build.txt requirements/operator.txt requirements/
# The tools are in an environment of their own, and install into the one that is shipped.
RUN python3 -m venv /tools \
 && /tools/bin/pip install --no-compile --require-hashes -r requirements/build.txt \
 && python3 -m venv --without-pip /opt/specdecode \
 && /tools/bin/pip --python /opt/specdecode/bin/python install --no-compile --require-hashes -r requirements/operator.txt
COPY pyproject.toml README.md LICENSE ./
COPY operator operator
# Compiled by content, not by date: a read-only file system and rewritten dates leave the compiled files valid. The Kubernetes
# client's generated classes, of whose 1,800 the operator loads a handful, stay uncompiled.
RUN /tools/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /wheels . \
 && /tools/bin/pip --python /opt/specdecode/bin/python install --no-compile --no-deps --no-index /wheels/*.whl \
 && /opt/specdecode/bin/python -m compileall -q --invalidation-mode unchecked-hash \
      -x 'kubernetes/(aio/)?client/(api|models)/[^_]' /opt/specdecode/lib

FROM ${BASE}
LABEL org.opencontainers.image.title="specdecode-operator" \
      org.opencontainers.image.description="Kubernetes operator that runs vLLM with speculative decoding and rolls it off when it stops paying" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /opt/specdecode /opt/specdecode
# The user has no entry in /etc/passwd, and the Kubernetes client and kopf ask for its home and name.
ENV HOME=/ \
    USER=specdecode \
    PATH=/opt/specdecode/bin:/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["specdecode"]
CMD ["run"]

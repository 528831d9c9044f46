# Two images of one package. `--target serve` holds what answers people (MLflow, Prefect's server, the app) and has no
# TensorFlow; the last one, the default, holds everything: `docker run faceswap demo --out /data/demo`.
# What others wrote is one layer, our own code another: an update of ours is some megabytes.
FROM python:3.11-slim AS base
RUN apt-get update -qq \
    && apt-get install -y -qq --no-install-recommends postgresql-client > /dev/null \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --create-home faceswap \
    && mkdir -p /data /proxy && chown faceswap:faceswap /data /proxy
ENV PATH=/app/.venv/bin:$PATH FACESWAP_HOME=/data/.faceswap PREFECT_HOME=/tmp/prefect MPLCONFIGDIR=/tmp/matplotlib KERAS_HOME=/tmp/keras

FROM base AS build
RUN pip install --no-cache-dir uv==0.13.9
WORKDIR /app

FROM build AS needed-to-serve
COPY requirements-serve.txt ./
RUN uv venv -q && uv pip install --no-cache --no-deps -r requirements-serve.txt \
    && cd .venv/lib/python3.11/site-packages \
    && rm -rf pandas/tests pyarrow/tests pyarrow/include numpy/*/tests scipy/*/tests scipy/*/*/tests sklearn/*/tests \
    && (/app/.venv/bin/python -m compileall -q -j 0 . > /dev/null || true)

FROM build AS own
COPY pyproject.toml requirements.txt README.md LICENSE ./
COPY faceswap faceswap
COPY flows flows
COPY infra infra
COPY serving serving
RUN uv venv -q && uv pip install --no-cache --no-deps --target /own . \
    && cp infra/try.sh /own/infra/ && .venv/bin/python -m compileall -q /own

FROM base AS serve
ENV PATH=/app/bin:$PATH PYTHONPATH=/app
COPY --from=needed-to-serve /app/.venv /app/.venv
COPY --from=own /own /app
WORKDIR /app
USER faceswap
VOLUME /data
HEALTHCHECK --interval=30s --timeout=10s --start-period=120s \
    CMD ["python", "-m", "infra.team", "health", "http://127.0.0.1:7860/health"]
ENTRYPOINT ["faceswap"]
CMD ["serve"]

FROM build AS needed-for-all
COPY requirements.txt ./
# TensorFlow in its smaller build without CUDA
RUN uv venv -q && sed 's/^tensorflow==/tensorflow-cpu==/' requirements.txt > all.txt \
    && uv pip install --no-cache --no-deps -r all.txt \
    && cd .venv/lib/python3.11/site-packages && rm -rf tensorflow/include \
    && rm -rf pandas/tests pyarrow/tests pyarrow/include numpy/*/tests scipy/*/tests scipy/*/*/tests sklearn/*/tests \
    && (/app/.venv/bin/python -m compileall -q -j 0 . > /dev/null || true)
# --build-arg EXTRA=gpu: with JAX and CUDA; run it with `docker run --gpus all`
ARG EXTRA=""
COPY pyproject.toml README.md LICENSE ./
RUN [ -z "$EXTRA" ] || uv sync --inexact --no-dev --no-cache --no-install-project --no-install-package tensorflow --extra "$EXTRA"

FROM base AS full
ENV PATH=/app/bin:$PATH PYTHONPATH=/app
COPY --from=needed-for-all /app/.venv /app/.venv
COPY --from=own /own /app
WORKDIR /app
USER faceswap
VOLUME /data
ENTRYPOINT ["faceswap"]

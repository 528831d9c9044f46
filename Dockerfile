# The whole package; `docker run faceswap demo --out /data/demo` runs the demo on fictional people.
FROM python:3.11-slim
RUN pip install --no-cache-dir uv==0.13.9
WORKDIR /app
COPY pyproject.toml requirements.txt README.md LICENSE ./
COPY faceswap faceswap
COPY flows flows
COPY infra infra
COPY serving serving
# --build-arg EXTRA=gpu: with JAX and CUDA; run it with `docker run --gpus all`
ARG EXTRA=""
RUN uv sync --no-dev --no-cache --compile-bytecode ${EXTRA:+--extra $EXTRA} \
    && .venv/bin/python -m compileall -q faceswap flows infra serving
ENV PATH=/app/.venv/bin:$PATH FACESWAP_HOME=/data/.faceswap
VOLUME /data
ENTRYPOINT ["faceswap"]

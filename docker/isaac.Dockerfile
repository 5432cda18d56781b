# The service with Isaac Sim as a renderer, on NVIDIA's own image. Not built or run by its authors:
# see the first lines of docs/isaac.md.
# Built from the repository's root: docker build -f docker/isaac.Dockerfile -t neuromorphic-datagen-isaac .
# Our packages live in an environment of their own, so that Isaac Sim's pinned ones stay as they are.
# No licence variable is set here: the container only passes on what its operator sets.

ARG ISAAC_SIM=nvcr.io/nvidia/isaac-sim:6.0.1
FROM ${ISAAC_SIM}
USER 0
COPY pyproject.toml constraints.txt README.md LICENSE /src/
COPY schemas /src/schemas
COPY trajectories /src/trajectories
COPY datagen /src/datagen
COPY service /src/service
WORKDIR /src
RUN /isaac-sim/kit/python/bin/python3 -m venv --without-pip /opt/datagen \
    && /isaac-sim/kit/python/bin/python3 -m pip --python /opt/datagen/bin/python install \
        --no-cache-dir --constraint constraints.txt '.[service,postgres]' \
    && install -d -o 1234 -g 1234 /data /var/cache/datagen
# the graphics capability: without it the renderer hangs
ENV NVIDIA_DRIVER_CAPABILITIES=all \
    PYTHONDONTWRITEBYTECODE=1 \
    NUMBA_CACHE_DIR=/var/cache/datagen \
    DATAGEN_DATA=/data \
    DATAGEN_HOST=0.0.0.0 \
    DATAGEN_ISAAC_PYTHON=/isaac-sim/python.sh
USER 1234:1234
WORKDIR /data
VOLUME ["/data", "/var/cache/datagen"]
EXPOSE 8000
STOPSIGNAL SIGTERM
# the first start of Isaac Sim compiles shaders for minutes
HEALTHCHECK --interval=30s --timeout=5s --start-period=180s --retries=3 \
    CMD ["/opt/datagen/bin/python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
ENTRYPOINT ["/opt/datagen/bin/datagen"]
CMD ["serve"]

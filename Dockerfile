# The same app from the same requirements, as a user other than root.
#
#   docker build -t emberscope .
#   docker run --rm -p 127.0.0.1:8501:8501 -v emberscope:/data emberscope
#   add --gpus all for a CUDA device
#   docker build --build-arg WEIGHTS="galileo_nano prithvi_eo_v2_300" -t emberscope .
#                bakes weights into the image, for a room without network
#
# Inside, the server listens on every address, because only so does Docker's port forwarding reach it; `-p 127.0.0.1:`
# keeps it on loopback outside. There are no accounts: whoever reaches the port can start jobs.

# --- the map libraries -----------------------------------------------------------------------------------
FROM node:22-slim AS maps
WORKDIR /maps
COPY assets/package.json assets/package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund

# --- the app ---------------------------------------------------------------------------------------------
FROM python:3.12-slim
# rasterio's wheel carries GDAL but not expat
RUN apt-get update \
    && apt-get install -y --no-install-recommends libexpat1 \
    && rm -rf /var/lib/apt/lists/*

WORKDIR /app
COPY requirements.txt .
RUN pip install --no-cache-dir -r requirements.txt

COPY . .
COPY --from=maps /maps/node_modules assets/node_modules
RUN python assets/vendor.py && rm -rf assets/node_modules

# /data is the workspace (runs, data) and the cache of downloaded weights. A volume mounted there takes over its owner.
RUN useradd --create-home --uid 1000 ember && mkdir /data && chown ember:ember /data
USER ember
# Baked weights lie outside /data, so that no volume hides them.
ARG WEIGHTS=""
RUN if [ -n "$WEIGHTS" ]; then python -m engine fetch $WEIGHTS; fi
ENV EMBERSCOPE_HOME=/data \
    HF_HOME=/data/weights \
    EMBERSCOPE_WEIGHTS=/data/weights \
    EMBERSCOPE_ADDRESS=0.0.0.0 \
    PORT=8501 \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1
VOLUME /data
EXPOSE 8501
# The first start simulates the labelled fire season before it serves.
HEALTHCHECK --interval=30s --timeout=5s --start-period=120s --retries=3 CMD ["python", "-c", \
    "import os, urllib.request as u; u.urlopen(f'http://127.0.0.1:{os.environ[\"PORT\"]}/_stcore/health', timeout=4)"]
CMD ["python", "assets/start.py"]

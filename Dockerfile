# One image for every process of ours; docker-compose.yml says which command each runs.
FROM python:3.11-slim
RUN useradd --uid 10001 --create-home --home-dir /srv/e2a e2a
WORKDIR /srv/e2a/app
COPY requirements.txt .
RUN pip install --no-cache-dir -r requirements.txt
COPY . .
ENV PYTHONUNBUFFERED=1 DJANGO_SETTINGS_MODULE=e2a.settings E2A_HOME=/srv/e2a/home PROMETHEUS_MULTIPROC_DIR=/tmp/metrics
# Static files are collected into the image. The keys are of this step alone: it encrypts and signs nothing.
RUN APP_ENV=production SECRET_KEY=$(head -c 48 /dev/urandom | base64 -w0) JWT_SECRET=$(head -c 48 /dev/urandom | base64 -w0) \
    E2A_FIELD_KEYS=$(head -c 32 /dev/urandom | base64 -w0 | tr '+/' '-_') python manage.py prepare --only static \
    && mkdir -p /srv/e2a/home/shopify-mock /tmp/metrics && chown -R e2a /srv/e2a/home /tmp/metrics
USER e2a
CMD ["granian", "--interface", "rsgi", "--host", "0.0.0.0", "--port", "8001", "--workers", "2", "--respawn-failed-workers", "--http1-header-read-timeout", "10000", "--http1-buffer-size", "65536", "--no-ws", "e2a.rsgi:application"]

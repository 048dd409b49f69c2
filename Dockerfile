# The service in a container: the locked packages in one stage, a small image that runs as its own user in the next.
FROM python:3.11-slim-trixie AS packages
COPY requirements.lock /tmp/
RUN python -m venv /opt/vasti \
    && /opt/vasti/bin/pip install --no-cache-dir --require-hashes --requirement /tmp/requirements.lock \
    && /opt/vasti/bin/pip uninstall --yes pip setuptools

FROM python:3.11-slim-trixie
# The client programs are what `vasti db backup` and `restore` run; their version is the database image's.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends postgresql-client-17 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --no-create-home --home-dir /var/lib/vasti vasti \
    && install --directory --owner=vasti --group=vasti --mode=0700 /var/lib/vasti
COPY --from=packages /opt/vasti /opt/vasti
COPY geo /app/geo
COPY maps /app/maps
COPY service /app/service
COPY data /app/data
# What installing the project would write as bin/vasti, without a build.
RUN printf '#!/opt/vasti/bin/python\nfrom service.cli.main import run\n\nrun()\n' >/opt/vasti/bin/vasti \
    && chmod 0755 /opt/vasti/bin/vasti
ENV PATH=/opt/vasti/bin:$PATH PYTHONPATH=/app PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /app
USER vasti
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
CMD ["vasti", "serve", "--host", "0.0.0.0"]

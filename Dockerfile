# The image of the platform's own jobs: the package `operations`, and the catalogue that it reads.
# Build it, push it, and put its digest into `jobs.image` of the stack files.
FROM python:3.11-slim AS packages
WORKDIR /build
COPY requirements.txt .
RUN python -m venv /venv && /venv/bin/pip install --no-cache-dir --require-hashes -r requirements.txt

FROM python:3.11-slim
ENV PATH=/venv/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
WORKDIR /app
COPY --from=packages /venv /venv
COPY pyproject.toml .
COPY catalog catalog
COPY operations operations
USER 65532:65532
CMD ["python", "-m", "operations", "--help"]

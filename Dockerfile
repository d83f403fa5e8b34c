# The app and its workers in one image. Untried: written where no container could be built or run.
#
#     docker build -t autoflow .
#
# Where the package index offers torch for CUDA alone, the image takes several GB; name an index with CPU builds:
#     docker build --build-arg PIP_EXTRA_INDEX_URL=... -t autoflow .

FROM python:3.11-slim AS build
# reasoning-gym builds a part of itself from source.
RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev && rm -rf /var/lib/apt/lists/*
RUN python -m venv /venv
ENV PATH=/venv/bin:$PATH PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
ARG PIP_EXTRA_INDEX_URL=
WORKDIR /autoflow
COPY requirements.txt requirements-ray.txt constraints.txt ./
# torch first, by its exact version, as scripts/setup.py does it.
RUN pip install "$(grep '^torch==' requirements.txt)" -c constraints.txt
RUN pip install -r requirements.txt -r requirements-ray.txt -c constraints.txt

FROM python:3.11-slim
COPY --from=build /venv /venv
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 AUTOFLOW_HOME=/data
WORKDIR /autoflow
COPY . .
RUN pip install --no-deps -e .
RUN useradd --create-home autoflow && mkdir /data && chown autoflow /data
USER autoflow
VOLUME /data
EXPOSE 8501
CMD ["autoflow", "serve", "--host", "0.0.0.0"]

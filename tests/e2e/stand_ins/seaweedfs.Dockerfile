FROM python:3.11-slim
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends wget > /dev/null && rm -rf /var/lib/apt/lists/*
COPY weed /usr/bin/weed
VOLUME /data

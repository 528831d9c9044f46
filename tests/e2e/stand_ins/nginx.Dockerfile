FROM python:3.11-slim
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends nginx-light > /dev/null && rm -rf /var/lib/apt/lists/*

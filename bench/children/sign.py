"""Signs with boto3 what it is told to on standard input, and times itself.

The first line is the job as JSON. After it each line is `proof LETTER INDEX`, answered with the result, or `run LETTER CALLS`, answered with nanoseconds.
"""

import json
import sys
import time

import boto3
import botocore
from botocore.config import Config


def columns(job):
    config = Config(signature_version="s3v4", s3={"addressing_style": "virtual"}, request_checksum_calculation="when_required")
    keys, bucket, life = job["keys"], job["bucket"], job["life"]

    def client(token):
        return boto3.client(
            "s3",
            region_name=job["region"],
            endpoint_url=job["endpoint"],
            aws_access_key_id=job["access_key_id"],
            aws_secret_access_key=job["secret"],
            aws_session_token=token,
            config=config,
        )

    def put(token, more):
        sign = client(token).generate_presigned_url

        def call(index):
            return sign("put_object", Params={"Bucket": bucket, "Key": keys[index % len(keys)], **more}, ExpiresIn=life)

        return call

    def post(token):
        sign = client(token).generate_presigned_post
        metadata = "x-amz-meta-" + job["metadata"][0]

        def call(_index):
            return sign(
                bucket,
                job["prefix"] + "${filename}",
                Fields={"Content-Type": job["content_type"], metadata: job["metadata"][1]},
                Conditions=[{"Content-Type": job["content_type"]}, {metadata: job["metadata"][1]}, ["content-length-range", *job["content_lengths"]]],
                ExpiresIn=life,
            )

        return call

    headers = {"ContentType": job["content_type"], "ContentLength": job["content_length"]}
    token = job["token"]
    return {"a": put(None, {}), "b": put(None, headers), "c": put(token, {}), "p": post(None), "q": post(token)}


def main():
    signers = columns(json.loads(sys.stdin.readline()))
    python = ".".join(str(part) for part in sys.version_info[:3])
    print(f"boto3 {boto3.__version__}, botocore {botocore.__version__}, Python {python}", flush=True)
    for line in sys.stdin:
        command, letter, number = line.split()
        call, number = signers[letter], int(number)
        if command == "proof":
            print(json.dumps(call(number)), flush=True)
            continue
        start = time.perf_counter_ns()
        for index in range(number):
            call(index)
        print(time.perf_counter_ns() - start, flush=True)


main()

// Signs with the AWS SDK for JavaScript what it is told to on standard input, and times itself. The first argument is the folder that the SDK is installed in.
//
// The first line is the job as JSON. After it each line is `proof LETTER INDEX`, answered with the result, or `run LETTER CALLS`, answered with nanoseconds.

import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const require = createRequire(process.argv[2] + "/");
const { PutObjectCommand, S3Client } = require("@aws-sdk/client-s3");
const { createPresignedPost } = require("@aws-sdk/s3-presigned-post");
const { getSignedUrl } = require("@aws-sdk/s3-request-presigner");

function columns(job) {
  const { bucket: Bucket, keys, life } = job;
  const client = (sessionToken) =>
    new S3Client({
      region: job.region,
      credentials: { accessKeyId: job.access_key_id, secretAccessKey: job.secret, sessionToken },
      requestChecksumCalculation: "WHEN_REQUIRED",
    });
  const put = (token, more, options) => {
    const s3 = client(token);
    return (index) => getSignedUrl(s3, new PutObjectCommand({ Bucket, Key: keys[index % keys.length], ...more }), { expiresIn: life, ...options });
  };
  const post = (token) => {
    const s3 = client(token);
    const metadata = `x-amz-meta-${job.metadata[0]}`;
    return () =>
      createPresignedPost(s3, {
        Bucket,
        Key: job.prefix + "${filename}",
        Fields: { "Content-Type": job.content_type, [metadata]: job.metadata[1] },
        Conditions: [["content-length-range", ...job.content_lengths]],
        Expires: life,
      });
  };
  const headers = { ContentType: job.content_type, ContentLength: job.content_length };
  // Of the headers it signs `content-type` only when it is told to.
  const signed = { signableHeaders: new Set(["host", "content-type", "content-length"]) };
  const token = job.token ?? undefined;
  return { a: put(undefined, {}), b: put(undefined, headers, signed), c: put(token, {}), p: post(undefined), q: post(token) };
}

const version = (name) => `${name} ${require(`${process.argv[2]}/node_modules/${name}/package.json`).version}`;

let signers;
for await (const line of createInterface({ input: process.stdin })) {
  if (!signers) {
    signers = columns(JSON.parse(line));
    console.log(`${version("@aws-sdk/s3-request-presigner")}, ${version("@aws-sdk/s3-presigned-post")}, Node ${process.versions.node}`);
    continue;
  }
  const [command, letter, number] = line.split(" ");
  const call = signers[letter];
  if (command === "proof") {
    console.log(JSON.stringify(await call(Number(number))));
    continue;
  }
  const calls = Number(number);
  const start = process.hrtime.bigint();
  for (let index = 0; index < calls; index++) await call(index);
  console.log(String(process.hrtime.bigint() - start));
}

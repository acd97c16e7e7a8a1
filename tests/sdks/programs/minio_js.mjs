// minio, the MinIO SDK for JavaScript.
import { Readable } from 'node:stream';
import * as Minio from 'minio';
import { ACCESS_KEY_ID, AWKWARD, bytes, ENDPOINT, ENDPOINT_OF_ANOTHER_TIME, large, MIB, operation, PICTURE, raises, REGION, same, SECRET_ACCESS_KEY } from './report.mjs';

const BUCKET = 'from-minio-js';

const connect = (endpoint = ENDPOINT, secretKey = SECRET_ACCESS_KEY) => {
  const { hostname, port } = new URL(endpoint);
  return new Minio.Client({ endPoint: hostname, port: Number(port), useSSL: false, region: REGION, partSize: 5 * MIB, accessKey: ACCESS_KEY_ID, secretKey });
};

const client = connect();
const body = async (key) => bytes(await client.getObject(BUCKET, key));
const entries = async (stream) => {
  const found = [];
  for await (const entry of stream) found.push(entry);
  return found;
};

await operation('create_bucket', async () => {
  same(await client.bucketExists(BUCKET), false);
  await client.makeBucket(BUCKET);
  same(await client.bucketExists(BUCKET), true);
});

await operation('list_buckets', async () => {
  same((await client.listBuckets()).some((bucket) => bucket.name === BUCKET), true);
});

await operation('put', async () => {
  const { etag } = await client.putObject(BUCKET, AWKWARD, PICTURE, PICTURE.length, { 'Content-Type': 'image/png', owner: '7' });
  same(etag.length, 32);
  await client.putObject(BUCKET, 'nothing', Buffer.alloc(0));
});

await operation('get', async () => {
  same(await body(AWKWARD), PICTURE);
  same(await body('nothing'), Buffer.alloc(0));
  same((await raises(() => body('not-there'))).code, 'NoSuchKey');
});

await operation('head', async () => {
  const found = await client.statObject(BUCKET, AWKWARD);
  same([found.size, found.metaData['content-type'], found.metaData.owner], [PICTURE.length, 'image/png', '7']);
  same((await raises(() => client.statObject(BUCKET, 'not-there'))).code, 'NotFound');
});

await operation('range', async () => {
  same(await bytes(await client.getPartialObject(BUCKET, AWKWARD, 2, 4)), PICTURE.subarray(2, 6));
});

await operation('copy', async () => {
  await client.copyObject(BUCKET, 'copies/a copy', `/${BUCKET}/${AWKWARD}`);
  same(await body('copies/a copy'), PICTURE);
});

const KEYS = ['a', 'b'].flatMap((folder) => [0, 1, 2, 3].map((n) => `list/${folder}/${n} ü`)).concat('list/z');

await operation('list_v2', async () => {
  for (const key of KEYS) await client.putObject(BUCKET, key, '1234');
  same((await entries(client.listObjectsV2(BUCKET, 'list/', true))).map((entry) => entry.name), KEYS);
  same((await entries(client.listObjectsV2(BUCKET, '', true))).some((entry) => entry.name === AWKWARD), true);
});

await operation('list_v1', async () => {
  same((await entries(client.listObjects(BUCKET, 'list/', true))).map((entry) => entry.name), KEYS);
});

await operation('list_delimiter', async () => {
  const found = await entries(client.listObjectsV2(BUCKET, 'list/'));
  same(found.map((entry) => entry.prefix ?? entry.name).sort(), ['list/a/', 'list/b/', 'list/z']);
});

await operation('delete', async () => {
  await client.removeObject(BUCKET, KEYS[0]);
  same((await raises(() => body(KEYS[0]))).code, 'NoSuchKey');
});

await operation('delete_many', async () => {
  await client.removeObjects(BUCKET, [KEYS[1], KEYS[2], 'not-there']);
  same((await entries(client.listObjectsV2(BUCKET, 'list/', true))).map((entry) => entry.name), KEYS.slice(3));
});

await operation('transfer', async () => {
  const wanted = large(11 * MIB);
  await client.putObject(BUCKET, 'large', Readable.from(Array.from({ length: 11 }, (_, n) => wanted.subarray(n * MIB, (n + 1) * MIB))), wanted.length);
  same(/-\d$/.test((await client.statObject(BUCKET, 'large')).etag), true);
  same((await body('large')).equals(wanted), true);
});

await operation('abort_multipart', async () => {
  const upload = await client.initiateNewMultipartUpload(BUCKET, 'aborted', {});
  same((await entries(client.listIncompleteUploads(BUCKET, 'aborted', true))).map((entry) => entry.uploadId), [upload]);
  await client.removeIncompleteUpload(BUCKET, 'aborted');
  same(await entries(client.listIncompleteUploads(BUCKET, 'aborted', true)), []);
});

await operation('presign_get', async () => {
  const url = await client.presignedGetObject(BUCKET, AWKWARD, 60, { 'response-content-type': 'text/x-picture' });
  const answer = await fetch(url);
  same([answer.status, answer.headers.get('content-type')], [200, 'text/x-picture']);
  same(Buffer.from(await answer.arrayBuffer()), PICTURE);
  same((await fetch(url.replace('x-picture', 'x-other'))).status, 403);
});

await operation('presign_put', async () => {
  const url = await client.presignedPutObject(BUCKET, 'presigned', 60);
  same((await fetch(url, { method: 'PUT', body: PICTURE })).status, 200);
  same(await body('presigned'), PICTURE);
});

await operation('post', async () => {
  const policy = client.newPostPolicy();
  policy.setBucket(BUCKET);
  policy.setKeyStartsWith('forms/');
  policy.setContentType('image/png');
  policy.setContentLengthRange(1, 1000);
  policy.setExpires(new Date(Date.now() + 60_000));
  const { postURL, formData } = await client.presignedPostPolicy(policy);
  const sent = (type) => {
    const form = new FormData();
    for (const [name, value] of Object.entries({ ...formData, key: 'forms/1', 'Content-Type': type })) form.append(name, value);
    form.append('file', new Blob([PICTURE]), 'a.png');
    return fetch(postURL, { method: 'POST', body: form });
  };
  same((await sent('image/png')).status, 204);
  same(await body('forms/1'), PICTURE);
  same((await sent('text/plain')).status, 403);
});

await operation('wrong_secret', async () => {
  const other = connect(ENDPOINT, 'not-the-secret');
  const error = await raises(() => other.putObject(BUCKET, 'forged', PICTURE));
  same([error instanceof Minio.S3Error, error.code], [true, 'SignatureDoesNotMatch']);
  same((await raises(() => body('forged'))).code, 'NoSuchKey');
});

await operation('other_clock', async () => {
  same((await raises(() => entries(connect(ENDPOINT_OF_ANOTHER_TIME).listObjectsV2('media')))).code, 'RequestTimeTooSkewed');
});

await operation('delete_bucket', async () => {
  same((await raises(() => client.removeBucket(BUCKET))).code, 'BucketNotEmpty');
  const found = await entries(client.listObjectsV2(BUCKET, '', true));
  await client.removeObjects(BUCKET, found.map((entry) => entry.name));
  await client.removeBucket(BUCKET);
  same(await client.bucketExists(BUCKET), false);
});

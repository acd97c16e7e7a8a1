// ali-oss, the OSS SDK for JavaScript, with signatures of version 4.
import { Readable } from 'node:stream';
import OSS from 'ali-oss';
import { ACCESS_KEY_ID, AWKWARD, bytes, ENDPOINT, ENDPOINT_OF_ANOTHER_TIME, large, MIB, operation, PICTURE, raises, REGION, same, SECRET_ACCESS_KEY } from './report.mjs';

const BUCKET = 'from-ali-oss';

// `sldEnable`: the bucket stands in the path. The region is written with `oss-` here. To an address the SDK sends the name of the public cloud as its host.
const named = (endpoint) => endpoint.replace('127.0.0.1', 'localhost');
const connect = (endpoint = ENDPOINT, accessKeySecret = SECRET_ACCESS_KEY, bucket = BUCKET) =>
  new OSS({ endpoint: named(endpoint), region: `oss-${REGION}`, bucket, accessKeyId: ACCESS_KEY_ID, accessKeySecret, authorizationV4: true, sldEnable: true });

const client = connect();
const body = async (key, options) => (await client.get(key, options)).content;
const code = (error) => [error.code, error.status];
const names = (page) => (page.objects ?? []).map((entry) => entry.name);

await operation('create_bucket', async () => {
  same(code(await raises(() => client.getBucketInfo(BUCKET))), ['NoSuchBucket', 404]);
  same((await client.putBucket(BUCKET)).res.status, 200);
  same((await client.getBucketInfo(BUCKET)).bucket.Name, BUCKET);
});

await operation('list_buckets', async () => {
  same((await client.listBuckets()).buckets.some((bucket) => bucket.name === BUCKET), true);
});

await operation('put', async () => {
  const written = await client.put(AWKWARD, PICTURE, { mime: 'image/png', meta: { owner: '7' }, headers: { 'Cache-Control': 'max-age=60' } });
  same([written.res.status, written.res.headers.etag.startsWith('"')], [200, true]);
  await client.put('nothing', Buffer.alloc(0));
  // Of a stream it does not know the length: chunks.
  await client.putStream('streamed', Readable.from([PICTURE, PICTURE]));
  same(await body('streamed'), Buffer.concat([PICTURE, PICTURE]));
});

await operation('get', async () => {
  const { content, res } = await client.get(AWKWARD);
  same(content, PICTURE);
  same([res.headers['content-type'], res.headers['cache-control'], res.headers['content-length']], ['image/png', 'max-age=60', String(PICTURE.length)]);
  same(await body('nothing'), Buffer.alloc(0));
  same(await bytes((await client.getStream(AWKWARD)).stream), PICTURE);
  const error = await raises(() => body('not-there'));
  same([error.name, ...code(error)], ['NoSuchKeyError', 'NoSuchKey', 404]);
});

await operation('head', async () => {
  const found = await client.head(AWKWARD);
  same([found.meta, found.res.headers['content-length']], [{ owner: '7' }, String(PICTURE.length)]);
  same(Math.abs(new Date(found.res.headers['last-modified']) - Date.now()) < 600_000, true);
  same(code(await raises(() => client.head('not-there'))), ['NoSuchKey', 404]);
});

await operation('object_meta', async () => {
  const { res } = await client.getObjectMeta(AWKWARD);
  same([res.status, res.headers['content-length']], [200, String(PICTURE.length)]);
});

await operation('range', async () => {
  const { content, res } = await client.get(AWKWARD, { headers: { Range: 'bytes=2-5' } });
  same(content, PICTURE.subarray(2, 6));
  same([res.headers['content-range'], res.status], [`bytes 2-5/${PICTURE.length}`, 206]);
  const headers = { Range: 'bytes=1000-', 'x-oss-range-behavior': 'standard' };
  same(code(await raises(() => body(AWKWARD, { headers }))), ['InvalidRange', 416]);
});

await operation('conditional_get', async () => {
  const { etag, 'last-modified': modified } = (await client.head(AWKWARD)).res.headers;
  same(await body(AWKWARD, { headers: { 'If-Match': etag } }), PICTURE);
  same(code(await raises(() => body(AWKWARD, { headers: { 'If-Match': '"other"' } }))), ['PreconditionFailed', 412]);
  same((await client.get(AWKWARD, { headers: { 'If-None-Match': etag } })).res.status, 304);
  same((await client.head(AWKWARD, { headers: { 'If-Modified-Since': modified } })).status, 304);
});

await operation('conditional_put', async () => {
  const headers = { 'x-oss-forbid-overwrite': 'true' };
  same(code(await raises(() => client.put(AWKWARD, Buffer.from('other'), { headers }))), ['FileAlreadyExists', 409]);
  same(await body(AWKWARD), PICTURE);
  await client.put('once', Buffer.from('1'), { headers });
});

await operation('copy', async () => {
  same((await client.copy('copies/a copy', AWKWARD)).res.status, 200);
  same(await body('copies/a copy'), PICTURE);
  same((await client.head('copies/a copy')).meta, { owner: '7' });
  await client.copy('copies/another', AWKWARD, { meta: { new: '1' }, headers: { 'Content-Type': 'text/plain' } });
  const found = await client.head('copies/another');
  same([found.res.headers['content-type'], found.meta], ['text/plain', { new: '1' }]);
  await client.putMeta('copies/another', { new: '2' });
  same((await client.head('copies/another')).meta, { new: '2' });
  same(code(await raises(() => client.copy('copies/none', 'not-there'))), ['NoSuchKey', 404]);
});

const KEYS = ['a', 'b'].flatMap((folder) => [0, 1, 2, 3].map((n) => `list/${folder}/${n} ü`)).concat('list/z');
const prefix = 'list/';

await operation('list_v2', async () => {
  for (const key of KEYS) await client.put(key, Buffer.from('1234'));
  const page = await client.listV2({ prefix });
  same([names(page), page.keyCount, page.isTruncated, page.objects[0].size], [KEYS, 9, false, 4]);
  same(names(await client.listV2({})).includes(AWKWARD), true);
  same(names(await client.listV2({ prefix, 'start-after': KEYS[6] })), KEYS.slice(7));
});

await operation('list_v1', async () => {
  const page = await client.list({ prefix, 'max-keys': 5 });
  same([names(page), page.isTruncated, page.nextMarker], [KEYS.slice(0, 5), true, KEYS[4]]);
  same(names(await client.list({ prefix, marker: KEYS[4] })), KEYS.slice(5));
});

await operation('list_delimiter', async () => {
  for (const page of [await client.list({ prefix, delimiter: '/' }), await client.listV2({ prefix, delimiter: '/' })]) {
    same([page.prefixes, names(page)], [['list/a/', 'list/b/'], ['list/z']]);
  }
});

await operation('list_pages', async () => {
  const found = [];
  let token = null;
  do {
    const page = await client.listV2({ prefix, 'max-keys': 2, 'continuation-token': token });
    found.push(names(page));
    token = page.nextContinuationToken;
  } while (token);
  same([found.map((page) => page.length), found.flat()], [[2, 2, 2, 2, 1], KEYS]);
});

await operation('delete', async () => {
  same((await client.delete(KEYS[0])).res.status, 204);
  same(code(await raises(() => body(KEYS[0]))), ['NoSuchKey', 404]);
  same((await client.delete(KEYS[0])).res.status, 204);
});

await operation('delete_many', async () => {
  const wanted = [KEYS[1], KEYS[2], 'not-there'];
  const answer = await client.deleteMulti(wanted);
  same(answer.deleted.map((entry) => entry.Key ?? entry).sort(), wanted.toSorted());
  same(names(await client.listV2({ prefix })), KEYS.slice(3));
  same((await client.deleteMulti([KEYS[3]], { quiet: true })).res.status, 200);
});

await operation('multipart', async () => {
  const wanted = large(3 * MIB);
  const { uploadId } = await client.initMultipartUpload('large', { mime: 'image/png', meta: { owner: '7' } });
  const parts = [];
  for (const number of [1, 2, 3]) {
    const part = wanted.subarray((number - 1) * MIB, number * MIB);
    const { etag } = await client._uploadPart('large', uploadId, number, { stream: Readable.from([part]), size: part.length });
    parts.push({ number, etag });
  }
  same((await raises(() => body('large'))).code, 'NoSuchKey');
  const done = await client.completeMultipartUpload('large', uploadId, parts);
  same(done.etag.endsWith('-3"'), true);
  const found = await client.head('large');
  same([found.res.headers['content-type'], found.meta, found.res.headers.etag], ['image/png', { owner: '7' }, done.etag]);
  same((await body('large')).equals(wanted), true);
});

await operation('list_parts', async () => {
  const { uploadId } = await client.initMultipartUpload('parts');
  for (const number of [1, 2, 4]) await client._uploadPart('parts', uploadId, number, { stream: Readable.from([PICTURE]), size: PICTURE.length });
  const page = await client.listParts('parts', uploadId, { 'max-parts': 2 });
  same([page.parts.map((part) => [part.PartNumber, part.Size]), page.isTruncated], [[['1', '28'], ['2', '28']], 'true']);
  const { uploads } = await client.listUploads({});
  same(uploads.map((entry) => [entry.name, entry.uploadId]), [['parts', uploadId]]);
  await client.abortMultipartUpload('parts', uploadId);
});

await operation('copy_part', async () => {
  const { uploadId } = await client.initMultipartUpload('copied');
  const source = { sourceKey: 'large', sourceBucketName: BUCKET };
  const { etag } = await client.uploadPartCopy('copied', uploadId, 1, `1-${MIB}`, source);
  await client.completeMultipartUpload('copied', uploadId, [{ number: 1, etag }]);
  same((await body('copied')).equals(large(3 * MIB).subarray(1, MIB + 1)), true);
});

await operation('abort_multipart', async () => {
  const { uploadId } = await client.initMultipartUpload('aborted');
  same((await client.abortMultipartUpload('aborted', uploadId)).res.status, 204);
  same(code(await raises(() => client.listParts('aborted', uploadId))), ['NoSuchUpload', 404]);
});

await operation('transfer', async () => {
  const done = await client.multipartUpload('transferred', large(5 * MIB), { partSize: 2 * MIB, parallel: 3, mime: 'image/png' });
  same(done.etag.endsWith('-3"'), true);
  same((await body('transferred')).equals(large(5 * MIB)), true);
});

await operation('presign_get', async () => {
  const url = await client.signatureUrlV4('GET', 60, { queries: { 'response-content-type': 'text/x-picture' } }, AWKWARD);
  const answer = await fetch(url);
  same([answer.status, answer.headers.get('content-type')], [200, 'text/x-picture']);
  same(Buffer.from(await answer.arrayBuffer()), PICTURE);
  const refused = await fetch(url.replace('x-picture', 'x-other'));
  same([refused.status, (await refused.text()).includes('<Code>SignatureDoesNotMatch</Code>')], [403, true]);
});

await operation('presign_put', async () => {
  const headers = { 'content-type': 'image/png', 'x-oss-meta-owner': '7' };
  const url = await client.signatureUrlV4('PUT', 60, { headers }, 'presigned');
  same((await fetch(url, { method: 'PUT', body: PICTURE, headers })).status, 200);
  same((await client.head('presigned')).meta, { owner: '7' });
  same(await body('presigned'), PICTURE);
  same((await fetch(url, { method: 'PUT', body: PICTURE, headers: { ...headers, 'content-type': 'text/plain' } })).status, 403);
});

// The SDK signs a policy; the fields are written by hand.
await operation('post', async () => {
  const now = new Date();
  const date = now.toISOString().replace(/[-:]|\.\d+/g, '');
  const fields = { 'x-oss-signature-version': 'OSS4-HMAC-SHA256', 'x-oss-credential': `${ACCESS_KEY_ID}/${date.slice(0, 8)}/${REGION}/oss/aliyun_v4_request`, 'x-oss-date': date };
  const conditions = [{ bucket: BUCKET }, ...Object.entries(fields).map(([name, value]) => ({ [name]: value })), ['starts-with', '$key', 'forms/'], ['in', '$content-type', ['image/png']]];
  const policy = { expiration: new Date(+now + 60_000).toISOString(), conditions };
  Object.assign(fields, { policy: Buffer.from(JSON.stringify(policy)).toString('base64'), 'x-oss-signature': client.signPostObjectPolicyV4(policy, now) });
  const sent = (type) => {
    const form = new FormData();
    for (const [name, value] of Object.entries({ key: 'forms/${filename}', 'Content-Type': type, ...fields })) form.append(name, value);
    form.append('file', new Blob([PICTURE]), 'a b.png');
    return fetch(`${ENDPOINT}/${BUCKET}/`, { method: 'POST', body: form });
  };
  same((await sent('image/png')).status, 204);
  same(await body('forms/a b.png'), PICTURE);
  same((await sent('text/plain')).status, 403);
});

await operation('wrong_secret', async () => {
  const other = connect(ENDPOINT, 'not-the-secret');
  const error = await raises(() => other.put('forged', Buffer.from('1')));
  same([error.name, ...code(error)], ['SignatureDoesNotMatchError', 'SignatureDoesNotMatch', 403]);
  same(code(await raises(() => other.listV2({}))), ['SignatureDoesNotMatch', 403]);
  same((await raises(() => body('forged'))).code, 'NoSuchKey');
});

await operation('other_clock', async () => {
  const other = connect(ENDPOINT_OF_ANOTHER_TIME, SECRET_ACCESS_KEY, 'media');
  same(code(await raises(() => other.listV2({}))), ['RequestTimeTooSkewed', 403]);
});

await operation('delete_bucket', async () => {
  same(code(await raises(() => client.deleteBucket(BUCKET))), ['BucketNotEmpty', 409]);
  await client.deleteMulti(names(await client.listV2({ 'max-keys': 1000 })), { quiet: true });
  same((await client.deleteBucket(BUCKET)).res.status, 204);
  same(code(await raises(() => client.listV2({}))), ['NoSuchBucket', 404]);
});

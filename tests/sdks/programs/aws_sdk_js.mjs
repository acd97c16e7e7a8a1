// The AWS SDK for JavaScript: its client, uploads of `lib-storage`, presigned URLs and forms.
import { Readable } from 'node:stream';
import * as s3 from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { createPresignedPost } from '@aws-sdk/s3-presigned-post';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { ACCESS_KEY_ID, AWKWARD, ENDPOINT, ENDPOINT_OF_ANOTHER_TIME, large, MIB, operation, PICTURE, raises, REGION, same, SECRET_ACCESS_KEY } from './report.mjs';

const Bucket = 'from-the-aws-sdk-for-javascript';

const connect = (endpoint = ENDPOINT, secretAccessKey = SECRET_ACCESS_KEY) =>
  new s3.S3Client({ endpoint, region: REGION, maxAttempts: 1, credentials: { accessKeyId: ACCESS_KEY_ID, secretAccessKey } });

const client = connect();
const send = (Command, input) => client.send(new Command({ Bucket, ...input }));
const body = async (Key, more) => Buffer.from(await (await send(s3.GetObjectCommand, { Key, ...more })).Body.transformToByteArray());
const code = (error) => [error.name, error.$metadata?.httpStatusCode];
const keys = (page) => (page.Contents ?? []).map((entry) => entry.Key);

await operation('create_bucket', async () => {
  same((await raises(() => send(s3.HeadBucketCommand)))?.$metadata?.httpStatusCode, 404);
  await send(s3.CreateBucketCommand);
  await s3.waitUntilBucketExists({ client, minDelay: 1, maxWaitTime: 5 }, { Bucket });
});

await operation('list_buckets', async () => {
  const { Buckets } = await client.send(new s3.ListBucketsCommand({}));
  same(Buckets.some((bucket) => bucket.Name === Bucket && bucket.CreationDate instanceof Date), true);
});

await operation('put', async () => {
  const written = await send(s3.PutObjectCommand, { Key: AWKWARD, Body: PICTURE, ContentType: 'image/png', CacheControl: 'max-age=60', Metadata: { owner: '7' } });
  same(written.$metadata.httpStatusCode, 200);
  same(written.ETag.startsWith('"'), true);
  await send(s3.PutObjectCommand, { Key: 'nothing', Body: '' });
  await send(s3.PutObjectCommand, { Key: 'by-sha256', Body: PICTURE, ChecksumAlgorithm: 'SHA256' });
});

await operation('get', async () => {
  const found = await send(s3.GetObjectCommand, { Key: AWKWARD });
  same(Buffer.from(await found.Body.transformToByteArray()), PICTURE);
  same([found.ContentType, found.CacheControl, found.ContentLength, found.Metadata], ['image/png', 'max-age=60', PICTURE.length, { owner: '7' }]);
  same(await body('nothing'), Buffer.alloc(0));
  same(await body('by-sha256'), PICTURE);
  const error = await raises(() => body('not-there'));
  same([error instanceof s3.NoSuchKey, ...code(error)], [true, 'NoSuchKey', 404]);
});

await operation('head', async () => {
  const found = await send(s3.HeadObjectCommand, { Key: AWKWARD });
  same([found.ContentLength, found.Metadata], [PICTURE.length, { owner: '7' }]);
  same(Math.abs(found.LastModified - Date.now()) < 600_000, true);
  same(code(await raises(() => send(s3.HeadObjectCommand, { Key: 'not-there' }))), ['NotFound', 404]);
});

// Of a stream the SDK sends the checksum after the body, which it does not sign.
await operation('streaming', async () => {
  const sent = [];
  const watched = connect();
  watched.middlewareStack.add(
    (next) => (call) => {
      sent.push(call.request.headers['x-amz-content-sha256'], call.request.headers['content-encoding']);
      return next(call);
    },
    { step: 'finalizeRequest', priority: 'low', name: 'watch' },
  );
  const put = (pieces) => watched.send(new s3.PutObjectCommand({ Bucket, Key: 'streamed', Body: Readable.from(pieces), ContentLength: Buffer.concat(pieces).length }));
  const pieces = [Buffer.alloc(100_000, 7), PICTURE];
  await put(pieces);
  same(sent, ['STREAMING-UNSIGNED-PAYLOAD-TRAILER', 'aws-chunked']);
  same(await body('streamed'), Buffer.concat(pieces));
  // Each piece becomes a chunk, and S3 takes small ones at the end alone: `requestStreamBufferSize` gathers them.
  same((await raises(() => put(pieces.toReversed()))).name, 'InvalidChunkSizeError');
  same(await body('streamed'), Buffer.concat(pieces));
  const found = await send(s3.HeadObjectCommand, { Key: 'streamed', ChecksumMode: 'ENABLED' });
  same([found.ContentEncoding, typeof found.ChecksumCRC32], [undefined, 'string']);
});

await operation('range', async () => {
  const found = await send(s3.GetObjectCommand, { Key: AWKWARD, Range: 'bytes=2-5' });
  same(Buffer.from(await found.Body.transformToByteArray()), PICTURE.subarray(2, 6));
  same([found.ContentRange, found.$metadata.httpStatusCode], [`bytes 2-5/${PICTURE.length}`, 206]);
  same(await body(AWKWARD, { Range: 'bytes=-3' }), PICTURE.subarray(-3));
  same(code(await raises(() => body(AWKWARD, { Range: 'bytes=1000-' }))), ['InvalidRange', 416]);
});

await operation('conditional_get', async () => {
  const { ETag, LastModified } = await send(s3.HeadObjectCommand, { Key: AWKWARD });
  same(await body(AWKWARD, { IfMatch: ETag }), PICTURE);
  same(code(await raises(() => body(AWKWARD, { IfMatch: '"other"' }))), ['PreconditionFailed', 412]);
  same((await raises(() => body(AWKWARD, { IfNoneMatch: ETag }))).$metadata.httpStatusCode, 304);
  same((await raises(() => body(AWKWARD, { IfModifiedSince: LastModified }))).$metadata.httpStatusCode, 304);
});

await operation('conditional_put', async () => {
  const again = () => send(s3.PutObjectCommand, { Key: AWKWARD, Body: 'other', IfNoneMatch: '*' });
  same(code(await raises(again)), ['PreconditionFailed', 412]);
  same(await body(AWKWARD), PICTURE);
  await send(s3.PutObjectCommand, { Key: 'once', Body: '1', IfNoneMatch: '*' });
});

await operation('copy', async () => {
  const CopySource = `${Bucket}/${AWKWARD.split('/').map(encodeURIComponent).join('/')}`;
  const copied = await send(s3.CopyObjectCommand, { Key: 'copies/a copy', CopySource });
  same(copied.CopyObjectResult.ETag, (await send(s3.HeadObjectCommand, { Key: AWKWARD })).ETag);
  same(await body('copies/a copy'), PICTURE);
  await send(s3.CopyObjectCommand, { Key: 'copies/another', CopySource, MetadataDirective: 'REPLACE', ContentType: 'text/plain', Metadata: { new: '1' } });
  const found = await send(s3.HeadObjectCommand, { Key: 'copies/another' });
  same([found.ContentType, found.Metadata], ['text/plain', { new: '1' }]);
  same(code(await raises(() => send(s3.CopyObjectCommand, { Key: 'copies/none', CopySource: `${Bucket}/not-there` }))), ['NoSuchKey', 404]);
});

const KEYS = ['a', 'b'].flatMap((folder) => [0, 1, 2, 3].map((n) => `list/${folder}/${n} ü`)).concat('list/z');
const Prefix = 'list/';

await operation('list_v2', async () => {
  for (const Key of KEYS) await send(s3.PutObjectCommand, { Key, Body: '1234' });
  const page = await send(s3.ListObjectsV2Command, { Prefix });
  same([keys(page), page.KeyCount, page.IsTruncated, page.Contents[0].Size], [KEYS, 9, false, 4]);
  same(keys(await send(s3.ListObjectsV2Command)).includes(AWKWARD), true);
  same(keys(await send(s3.ListObjectsV2Command, { Prefix, StartAfter: KEYS[6] })), KEYS.slice(7));
});

await operation('list_v1', async () => {
  const page = await send(s3.ListObjectsCommand, { Prefix, MaxKeys: 5 });
  same([keys(page), page.IsTruncated], [KEYS.slice(0, 5), true]);
  same(keys(await send(s3.ListObjectsCommand, { Prefix, Marker: KEYS[4] })), KEYS.slice(5));
});

await operation('list_delimiter', async () => {
  for (const Command of [s3.ListObjectsV2Command, s3.ListObjectsCommand]) {
    const page = await send(Command, { Prefix, Delimiter: '/' });
    same([page.CommonPrefixes.map((entry) => entry.Prefix), keys(page)], [['list/a/', 'list/b/'], ['list/z']]);
  }
});

await operation('list_pages', async () => {
  const found = [];
  for await (const page of s3.paginateListObjectsV2({ client, pageSize: 2 }, { Bucket, Prefix })) found.push(keys(page));
  same([found.map((page) => page.length), found.flat()], [[2, 2, 2, 2, 1], KEYS]);
});

await operation('delete', async () => {
  await send(s3.DeleteObjectCommand, { Key: KEYS[0] });
  same(code(await raises(() => body(KEYS[0]))), ['NoSuchKey', 404]);
  await send(s3.DeleteObjectCommand, { Key: KEYS[0] });
});

await operation('delete_many', async () => {
  const Objects = [KEYS[1], KEYS[2], 'not-there'].map((Key) => ({ Key }));
  const answer = await send(s3.DeleteObjectsCommand, { Delete: { Objects } });
  same([answer.Deleted.map((entry) => entry.Key).sort(), answer.Errors], [Objects.map((entry) => entry.Key).sort(), undefined]);
  same(keys(await send(s3.ListObjectsV2Command, { Prefix })), KEYS.slice(3));
});

await operation('multipart', async () => {
  const Body = large(11 * MIB);
  const { UploadId } = await send(s3.CreateMultipartUploadCommand, { Key: 'large', ContentType: 'image/png', Metadata: { owner: '7' } });
  const Parts = [];
  for (const PartNumber of [1, 2, 3]) {
    const part = Body.subarray((PartNumber - 1) * 5 * MIB, PartNumber * 5 * MIB);
    const { ETag, ChecksumCRC32 } = await send(s3.UploadPartCommand, { Key: 'large', UploadId, PartNumber, Body: part });
    Parts.push({ PartNumber, ETag, ChecksumCRC32 });
  }
  same((await raises(() => body('large'))).name, 'NoSuchKey');
  const done = await send(s3.CompleteMultipartUploadCommand, { Key: 'large', UploadId, MultipartUpload: { Parts } });
  same(done.ETag.endsWith('-3"'), true);
  const found = await send(s3.HeadObjectCommand, { Key: 'large' });
  same([found.ContentType, found.Metadata, found.ETag], ['image/png', { owner: '7' }, done.ETag]);
  same((await body('large')).equals(Body), true);
});

await operation('list_parts', async () => {
  const { UploadId } = await send(s3.CreateMultipartUploadCommand, { Key: 'parts' });
  for (const PartNumber of [1, 2, 4]) await send(s3.UploadPartCommand, { Key: 'parts', UploadId, PartNumber, Body: PICTURE });
  const found = [];
  let page;
  // `paginateListParts` does not look at `IsTruncated` and so does not end, on S3 either.
  do {
    page = await send(s3.ListPartsCommand, { Key: 'parts', UploadId, MaxParts: 2, PartNumberMarker: page?.NextPartNumberMarker });
    found.push(...page.Parts);
  } while (page.IsTruncated);
  same(found.map((part) => [part.PartNumber, part.Size]), [1, 2, 4].map((n) => [n, PICTURE.length]));
  const { Uploads } = await send(s3.ListMultipartUploadsCommand);
  same(Uploads.map((entry) => [entry.Key, entry.UploadId]), [['parts', UploadId]]);
  await send(s3.AbortMultipartUploadCommand, { Key: 'parts', UploadId });
});

await operation('abort_multipart', async () => {
  const { UploadId } = await send(s3.CreateMultipartUploadCommand, { Key: 'aborted' });
  await send(s3.UploadPartCommand, { Key: 'aborted', UploadId, PartNumber: 1, Body: PICTURE });
  await send(s3.AbortMultipartUploadCommand, { Key: 'aborted', UploadId });
  same(code(await raises(() => send(s3.ListPartsCommand, { Key: 'aborted', UploadId }))), ['NoSuchUpload', 404]);
});

// `Upload` takes parts of a stream of which nobody knows the length.
await operation('transfer', async () => {
  const wanted = large(12 * MIB);
  const pieces = Array.from({ length: 12 }, (_, n) => wanted.subarray(n * MIB, (n + 1) * MIB));
  const upload = new Upload({ client, params: { Bucket, Key: 'transferred', Body: Readable.from(pieces), ContentType: 'image/png' } });
  await upload.done();
  same((await send(s3.HeadObjectCommand, { Key: 'transferred' })).ContentType, 'image/png');
  same((await body('transferred')).equals(wanted), true);
});

await operation('presign_get', async () => {
  const url = await getSignedUrl(client, new s3.GetObjectCommand({ Bucket, Key: AWKWARD, ResponseContentType: 'text/x-picture' }), { expiresIn: 60 });
  const answer = await fetch(url);
  same([answer.status, answer.headers.get('content-type')], [200, 'text/x-picture']);
  same(Buffer.from(await answer.arrayBuffer()), PICTURE);
  const refused = await fetch(url.replace('x-picture', 'x-other'));
  same([refused.status, (await refused.text()).includes('<Code>SignatureDoesNotMatch</Code>')], [403, true]);
});

// The SDK puts the checksum of an empty body into the URL, which S3 does not hold the body to.
await operation('presign_put', async () => {
  const url = await getSignedUrl(client, new s3.PutObjectCommand({ Bucket, Key: 'presigned', Metadata: { owner: '7' } }), { expiresIn: 60 });
  const answer = await fetch(url, { method: 'PUT', body: PICTURE, headers: { 'content-type': 'image/png' } });
  same([answer.status, await answer.text()], [200, '']);
  const found = await send(s3.HeadObjectCommand, { Key: 'presigned' });
  same([found.ContentType, found.Metadata], ['image/png', { owner: '7' }]);
  same(await body('presigned'), PICTURE);
});

await operation('post', async () => {
  const Conditions = [['content-length-range', 1, 1000], ['starts-with', '$Content-Type', 'image/']];
  const { url, fields } = await createPresignedPost(client, { Bucket, Key: 'forms/${filename}', Conditions, Expires: 60 });
  const sent = (type) => {
    const form = new FormData();
    for (const [name, value] of Object.entries({ ...fields, 'Content-Type': type })) form.append(name, value);
    form.append('file', new Blob([PICTURE]), 'a b.png');
    return fetch(url, { method: 'POST', body: form });
  };
  same((await sent('image/png')).status, 204);
  same(await body('forms/a b.png'), PICTURE);
  same((await sent('text/plain')).status, 403);
});

await operation('wrong_secret', async () => {
  const other = connect(ENDPOINT, 'not-the-secret');
  same(code(await raises(() => other.send(new s3.PutObjectCommand({ Bucket, Key: 'forged', Body: '1' })))), ['SignatureDoesNotMatch', 403]);
  same(code(await raises(() => other.send(new s3.ListObjectsV2Command({ Bucket })))), ['SignatureDoesNotMatch', 403]);
  same((await raises(() => body('forged'))).name, 'NoSuchKey');
});

await operation('other_clock', async () => {
  const other = connect(ENDPOINT_OF_ANOTHER_TIME);
  const list = () => other.send(new s3.ListObjectsV2Command({ Bucket: 'media' }));
  same(code(await raises(list)), ['RequestTimeTooSkewed', 403]);
  // From the answer it has the store's time, and signs by it from then on.
  same((await list()).KeyCount, 0);
});

await operation('delete_bucket', async () => {
  same(code(await raises(() => send(s3.DeleteBucketCommand))), ['BucketNotEmpty', 409]);
  for await (const page of s3.paginateListObjectsV2({ client }, { Bucket })) {
    const answer = await send(s3.DeleteObjectsCommand, { Delete: { Objects: page.Contents.map(({ Key }) => ({ Key })), Quiet: true } });
    same(answer.Errors, undefined);
  }
  await send(s3.DeleteBucketCommand);
  same(code(await raises(() => send(s3.ListObjectsV2Command))), ['NoSuchBucket', 404]);
});

# The AWS SDK for Ruby.
require 'aws-sdk-s3'
require 'erb'
require 'json'
require 'net/http'
require 'stringio'
require 'tempfile'

BUCKET = 'from-the-aws-sdk-for-ruby'.freeze
PICTURE = ['89504e470d0a1a0a00fffe802d2d0d0a2270696374757265220af09f'].pack('H*').freeze
AWKWARD = "a b+c/%41&d=e?f#g/~!*'()ü漢😀;:@$,.png".freeze
MIB = 1 << 20
Errors = Aws::S3::Errors

def connect(endpoint: ENV.fetch('ENDPOINT'), secret: ENV.fetch('SECRET_ACCESS_KEY'))
  Aws::S3::Client.new(
    endpoint: endpoint, region: ENV.fetch('REGION'), force_path_style: true, retry_limit: 0,
    access_key_id: ENV.fetch('ACCESS_KEY_ID'), secret_access_key: secret
  )
end

# Runs it and says how it ended: null, or what went wrong.
def operation(name)
  failure = nil
  begin
    yield
  rescue StandardError => e
    failure = "#{e.class}: #{e.message}\n#{e.backtrace.first(4).join("\n")}"
  end
  puts JSON.generate(operation: name, error: failure)
  $stdout.flush
end

def raises(kind)
  answer = yield
  raise "it was not refused: #{answer}"
rescue kind => e
  e
end

def same(found, wanted)
  raise "#{found.inspect[0, 400]} and not #{wanted.inspect[0, 400]}" unless found == wanted
end

def large(size)
  ((0..250).to_a.pack('C*') * (size / 251 + 1)).byteslice(0, size)
end

S3 = connect

def body(key, **more)
  S3.get_object(bucket: BUCKET, key: key, **more).body.read.b
end

operation('create_bucket') do
  raises(Errors::NotFound) { S3.head_bucket(bucket: BUCKET) }
  S3.create_bucket(bucket: BUCKET)
  S3.wait_until(:bucket_exists, { bucket: BUCKET }, max_attempts: 1)
end

operation('list_buckets') { same(S3.list_buckets.buckets.map(&:name).include?(BUCKET), true) }

operation('put') do
  written = S3.put_object(bucket: BUCKET, key: AWKWARD, body: PICTURE, content_type: 'image/png', cache_control: 'max-age=60', metadata: { 'owner' => '7' })
  same(written.etag.start_with?('"'), true)
  S3.put_object(bucket: BUCKET, key: 'nothing', body: '')
  S3.put_object(bucket: BUCKET, key: 'by-sha256', body: PICTURE, checksum_algorithm: 'SHA256')
end

operation('get') do
  found = S3.get_object(bucket: BUCKET, key: AWKWARD)
  same([found.body.read.b, found.content_type, found.cache_control], [PICTURE, 'image/png', 'max-age=60'])
  same(body('nothing'), '')
  same(S3.get_object(bucket: BUCKET, key: 'by-sha256', checksum_mode: 'ENABLED').checksum_sha256, Digest::SHA256.base64digest(PICTURE))
  raises(Errors::NoSuchKey) { body('not-there') }
end

operation('head') do
  found = S3.head_object(bucket: BUCKET, key: AWKWARD)
  same([found.content_length, found.metadata], [28, { 'owner' => '7' }])
  raises(Errors::NotFound) { S3.head_object(bucket: BUCKET, key: 'not-there') }
end

operation('range') do
  same(body(AWKWARD, range: 'bytes=2-5'), PICTURE.byteslice(2, 4))
  raises(Errors::InvalidRange) { body(AWKWARD, range: 'bytes=1000-') }
end

operation('conditional_get') do
  etag = S3.head_object(bucket: BUCKET, key: AWKWARD).etag
  same(body(AWKWARD, if_match: etag), PICTURE)
  raises(Errors::PreconditionFailed) { body(AWKWARD, if_match: '"other"') }
  raises(Errors::NotModified) { body(AWKWARD, if_none_match: etag) }
end

operation('copy') do
  source = "#{BUCKET}/#{AWKWARD.split('/').map { |part| ERB::Util.url_encode(part) }.join('/')}"
  S3.copy_object(bucket: BUCKET, key: 'copies/a copy', copy_source: source)
  same(body('copies/a copy'), PICTURE)
end

KEYS = %w[a b].flat_map { |folder| (0..3).map { |n| "list/#{folder}/#{n} ü" } } << 'list/z'

operation('list_v2') do
  KEYS.each { |key| S3.put_object(bucket: BUCKET, key: key, body: '1234') }
  same(S3.list_objects_v2(bucket: BUCKET, prefix: 'list/').contents.map(&:key), KEYS)
  same(S3.list_objects_v2(bucket: BUCKET).contents.map(&:key).include?(AWKWARD), true)
end

operation('list_v1') do
  same(S3.list_objects(bucket: BUCKET, prefix: 'list/', max_keys: 5).flat_map { |page| page.contents.map(&:key) }, KEYS)
end

operation('list_delimiter') do
  page = S3.list_objects_v2(bucket: BUCKET, prefix: 'list/', delimiter: '/')
  same([page.common_prefixes.map(&:prefix), page.contents.map(&:key)], [%w[list/a/ list/b/], %w[list/z]])
end

operation('list_pages') do
  same(S3.list_objects_v2(bucket: BUCKET, prefix: 'list/', max_keys: 2).map { |page| page.contents.map(&:key) }, KEYS.each_slice(2).to_a)
end

operation('delete') do
  S3.delete_object(bucket: BUCKET, key: KEYS[0])
  raises(Errors::NoSuchKey) { body(KEYS[0]) }
end

operation('delete_many') do
  answer = S3.delete_objects(bucket: BUCKET, delete: { objects: KEYS[1, 2].map { |key| { key: key } } })
  same([answer.deleted.map(&:key).sort, answer.errors], [KEYS[1, 2], []])
  same(S3.list_objects_v2(bucket: BUCKET, prefix: 'list/').contents.map(&:key), KEYS[3..])
end

operation('multipart') do
  upload = S3.create_multipart_upload(bucket: BUCKET, key: 'parts', content_type: 'image/png').upload_id
  at = { bucket: BUCKET, key: 'parts', upload_id: upload }
  parts = [large(5 * MIB), PICTURE].each_with_index.map do |data, n|
    { part_number: n + 1, etag: S3.upload_part(**at, part_number: n + 1, body: data).etag }
  end
  same(S3.list_parts(**at).parts.map(&:size), [5 * MIB, 28])
  S3.complete_multipart_upload(**at, multipart_upload: { parts: parts })
  same(body('parts') == large(5 * MIB) + PICTURE, true)
end

operation('abort_multipart') do
  upload = S3.create_multipart_upload(bucket: BUCKET, key: 'aborted').upload_id
  at = { bucket: BUCKET, key: 'aborted', upload_id: upload }
  S3.abort_multipart_upload(**at)
  raises(Errors::NoSuchUpload) { S3.list_parts(**at).parts }
end

operation('transfer') do
  Tempfile.create do |file|
    file.binmode
    file.write(large(11 * MIB))
    file.flush
    object = Aws::S3::Object.new(BUCKET, 'large', client: S3)
    object.upload_file(file.path, multipart_threshold: 6 * MIB)
    same(body('large') == large(11 * MIB), true)
  end
end

operation('presign_get') do
  url = Aws::S3::Presigner.new(client: S3).presigned_url(:get_object, bucket: BUCKET, key: AWKWARD, expires_in: 60)
  same(Net::HTTP.get(URI(url)), PICTURE)
  same(Net::HTTP.get_response(URI(url.sub('X-Amz-Expires=60', 'X-Amz-Expires=61'))).code, '403')
end

operation('post') do
  form = Aws::S3::Bucket.new(BUCKET, client: S3).presigned_post(key: 'forms/1', content_type: 'image/png', content_length_range: 1..1000)
  sent = lambda do |type|
    request = Net::HTTP::Post.new(URI(form.url))
    fields = form.fields.merge('Content-Type' => type).map { |name, value| [name, value] }
    request.set_form(fields << ['file', StringIO.new(PICTURE), { filename: 'a.png' }], 'multipart/form-data')
    Net::HTTP.start(request.uri.host, request.uri.port) { |http| http.request(request).code }
  end
  same(sent.call('image/png'), '204')
  same(body('forms/1'), PICTURE)
  same(sent.call('text/plain'), '403')
end

operation('wrong_secret') do
  raises(Errors::SignatureDoesNotMatch) { connect(secret: 'not-the-secret').put_object(bucket: BUCKET, key: 'forged', body: '1') }
  raises(Errors::NoSuchKey) { body('forged') }
end

operation('other_clock') do
  raises(Errors::RequestTimeTooSkewed) { connect(endpoint: ENV.fetch('ENDPOINT_OF_ANOTHER_TIME')).list_objects_v2(bucket: 'media') }
end

operation('delete_bucket') do
  raises(Errors::BucketNotEmpty) { S3.delete_bucket(bucket: BUCKET) }
  Aws::S3::Bucket.new(BUCKET, client: S3).objects.batch_delete!
  S3.delete_bucket(bucket: BUCKET)
  raises(Errors::NoSuchBucket) { S3.list_objects_v2(bucket: BUCKET) }
end

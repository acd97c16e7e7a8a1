// minio-go, the MinIO SDK for Go, which signs each chunk of a body where there is no TLS.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"reflect"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

const (
	bucket  = "from-minio-go"
	awkward = "a b+c/%41&d=e?f#g/~!*'()ü漢😀;:@$,.png"
	mib     = 1 << 20
)

var (
	ctx     = context.Background()
	picture = []byte("\x89PNG\r\n\x1a\n\x00\xff\xfe\x80--\r\n\"picture\"\n\xf0\x9f")
	sent    = map[string]int{}
	lock    sync.Mutex
)

// How the bodies of writes say that they are signed.
type watcher struct{ http.RoundTripper }

func (w watcher) RoundTrip(request *http.Request) (*http.Response, error) {
	if request.Method == http.MethodPut && request.Header.Get("X-Amz-Decoded-Content-Length") != "" {
		lock.Lock()
		sent[request.Header.Get("X-Amz-Content-Sha256")]++
		lock.Unlock()
	}
	return w.RoundTripper.RoundTrip(request)
}

func connect(variable, secret string, trailers bool) *minio.Client {
	endpoint, err := url.Parse(os.Getenv(variable))
	must(err)
	client, err := minio.New(endpoint.Host, &minio.Options{
		Creds:           credentials.NewStaticV4(os.Getenv("ACCESS_KEY_ID"), secret, ""),
		Region:          os.Getenv("REGION"),
		TrailingHeaders: trailers,
		Transport:       watcher{http.DefaultTransport},
	})
	must(err)
	return client
}

func must(err error) {
	if err != nil {
		panic(fmt.Sprintf("%T %v", err, err))
	}
}

func same(found, wanted any) {
	if !reflect.DeepEqual(found, wanted) {
		panic(fmt.Sprintf("%.400v and not %.400v", found, wanted))
	}
}

func refused(err error, code string) {
	if err == nil {
		panic("it was not refused")
	}
	same(minio.ToErrorResponse(err).Code, code)
}

// Runs it and says how it ended: null, or what went wrong.
func operation(name string, run func()) {
	var failure any
	func() {
		defer func() {
			if caught := recover(); caught != nil {
				failure = fmt.Sprint(caught)
			}
		}()
		run()
	}()
	line, _ := json.Marshal(map[string]any{"operation": name, "error": failure})
	fmt.Println(string(line))
}

func large(size int) []byte {
	data := make([]byte, size)
	for n := range data {
		data[n] = byte(n % 251)
	}
	return data
}

func main() {
	secret := os.Getenv("SECRET_ACCESS_KEY")
	client := connect("ENDPOINT", secret, false)
	trailing := connect("ENDPOINT", secret, true)
	put := func(client *minio.Client, key string, data []byte, options minio.PutObjectOptions) (minio.UploadInfo, error) {
		return client.PutObject(ctx, bucket, key, bytes.NewReader(data), int64(len(data)), options)
	}
	read := func(key string, options minio.GetObjectOptions) ([]byte, error) {
		object, err := client.GetObject(ctx, bucket, key, options)
		must(err)
		return io.ReadAll(object)
	}
	body := func(key string) []byte {
		data, err := read(key, minio.GetObjectOptions{})
		must(err)
		return data
	}
	keys := func(options minio.ListObjectsOptions) []string {
		found := []string{}
		for entry := range client.ListObjects(ctx, bucket, options) {
			must(entry.Err)
			found = append(found, entry.Key)
		}
		return found
	}

	operation("create_bucket", func() {
		exists, err := client.BucketExists(ctx, bucket)
		must(err)
		same(exists, false)
		must(client.MakeBucket(ctx, bucket, minio.MakeBucketOptions{}))
		exists, err = client.BucketExists(ctx, bucket)
		must(err)
		same(exists, true)
	})

	operation("list_buckets", func() {
		found, err := client.ListBuckets(ctx)
		must(err)
		names := []string{}
		for _, entry := range found {
			names = append(names, entry.Name)
		}
		same(strings.Contains(strings.Join(names, " "), bucket), true)
	})

	operation("put", func() {
		options := minio.PutObjectOptions{ContentType: "image/png", CacheControl: "max-age=60", UserMetadata: map[string]string{"Owner": "7"}}
		_, err := put(client, awkward, picture, options)
		must(err)
		_, err = put(client, "nothing", nil, minio.PutObjectOptions{})
		must(err)
	})

	operation("get", func() {
		same(body(awkward), picture)
		same(len(body("nothing")), 0)
		_, err := read("not-there", minio.GetObjectOptions{})
		refused(err, "NoSuchKey")
	})

	operation("head", func() {
		found, err := client.StatObject(ctx, bucket, awkward, minio.StatObjectOptions{})
		must(err)
		same([]any{found.Size, found.ContentType, found.UserMetadata["Owner"]}, []any{int64(28), "image/png", "7"})
		_, err = client.StatObject(ctx, bucket, "not-there", minio.StatObjectOptions{})
		refused(err, "NoSuchKey")
	})

	operation("streaming", func() {
		sent = map[string]int{}
		data := large(200_000)
		_, err := put(client, "chunks", data, minio.PutObjectOptions{})
		must(err)
		same(body("chunks"), data)
		same(sent, map[string]int{"STREAMING-AWS4-HMAC-SHA256-PAYLOAD": 1})
	})

	operation("streaming_trailer", func() {
		sent = map[string]int{}
		data := large(6 * mib)
		_, err := trailing.PutObject(ctx, bucket, "trailer", bytes.NewReader(data), int64(len(data)), minio.PutObjectOptions{PartSize: 5 * mib})
		must(err)
		same(body("trailer"), data)
		same(sent, map[string]int{"STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER": 2})
	})

	operation("range", func() {
		options := minio.GetObjectOptions{}
		must(options.SetRange(2, 5))
		data, err := read(awkward, options)
		must(err)
		same(data, picture[2:6])
	})

	operation("conditional_get", func() {
		found, err := client.StatObject(ctx, bucket, awkward, minio.StatObjectOptions{})
		must(err)
		options := minio.GetObjectOptions{}
		must(options.SetMatchETag(found.ETag))
		data, err := read(awkward, options)
		must(err)
		same(data, picture)
		must(options.SetMatchETag("other"))
		_, err = read(awkward, options)
		refused(err, "PreconditionFailed")
	})

	operation("copy", func() {
		_, err := client.CopyObject(ctx, minio.CopyDestOptions{Bucket: bucket, Object: "copies/a copy"}, minio.CopySrcOptions{Bucket: bucket, Object: awkward})
		must(err)
		same(body("copies/a copy"), picture)
	})

	wanted := []string{"list/a/0 ü", "list/a/1 ü", "list/b/0 ü", "list/z"}
	operation("list_v2", func() {
		for _, key := range wanted {
			_, err := put(client, key, picture, minio.PutObjectOptions{})
			must(err)
		}
		same(keys(minio.ListObjectsOptions{Prefix: "list/", Recursive: true}), wanted)
		same(keys(minio.ListObjectsOptions{Prefix: "list/", Recursive: true, MaxKeys: 1}), wanted)
		same(strings.Contains(strings.Join(keys(minio.ListObjectsOptions{Recursive: true}), "\n"), awkward), true)
	})

	operation("list_v1", func() {
		same(keys(minio.ListObjectsOptions{Prefix: "list/", Recursive: true, UseV1: true, MaxKeys: 2}), wanted)
	})

	operation("list_delimiter", func() {
		found := keys(minio.ListObjectsOptions{Prefix: "list/"})
		sort.Strings(found)
		same(found, []string{"list/a/", "list/b/", "list/z"})
	})

	operation("delete", func() {
		must(client.RemoveObject(ctx, bucket, wanted[0], minio.RemoveObjectOptions{}))
		_, err := read(wanted[0], minio.GetObjectOptions{})
		refused(err, "NoSuchKey")
	})

	remove := func(keys ...string) {
		entries := make(chan minio.ObjectInfo, len(keys))
		for _, key := range keys {
			entries <- minio.ObjectInfo{Key: key}
		}
		close(entries)
		for failure := range client.RemoveObjects(ctx, bucket, entries, minio.RemoveObjectsOptions{}) {
			must(failure.Err)
		}
	}

	operation("delete_many", func() {
		remove(wanted[1], wanted[2], "not-there")
		same(keys(minio.ListObjectsOptions{Prefix: "list/", Recursive: true}), wanted[3:])
	})

	operation("multipart", func() {
		core := minio.Core{Client: client}
		upload, err := core.NewMultipartUpload(ctx, bucket, "parts", minio.PutObjectOptions{ContentType: "image/png"})
		must(err)
		parts := []minio.CompletePart{}
		for number, data := range [][]byte{large(5 * mib), picture} {
			part, err := core.PutObjectPart(ctx, bucket, "parts", upload, number+1, bytes.NewReader(data), int64(len(data)), "", "", nil)
			must(err)
			parts = append(parts, minio.CompletePart{PartNumber: number + 1, ETag: part.ETag})
		}
		listed, err := core.ListObjectParts(ctx, bucket, "parts", upload, 0, 10)
		must(err)
		same(len(listed.ObjectParts), 2)
		_, err = core.CompleteMultipartUpload(ctx, bucket, "parts", upload, parts, minio.PutObjectOptions{})
		must(err)
		same(body("parts"), append(large(5*mib), picture...))
	})

	operation("abort_multipart", func() {
		core := minio.Core{Client: client}
		upload, err := core.NewMultipartUpload(ctx, bucket, "aborted", minio.PutObjectOptions{})
		must(err)
		must(core.AbortMultipartUpload(ctx, bucket, "aborted", upload))
		_, err = core.ListObjectParts(ctx, bucket, "aborted", upload, 0, 10)
		refused(err, "NoSuchUpload")
	})

	operation("presign_get", func() {
		signed, err := client.PresignedGetObject(ctx, bucket, awkward, time.Minute, url.Values{"response-content-type": {"text/x-picture"}})
		must(err)
		answer, err := http.Get(signed.String())
		must(err)
		data, err := io.ReadAll(answer.Body)
		must(err)
		same([]any{answer.StatusCode, data, answer.Header.Get("Content-Type")}, []any{200, picture, "text/x-picture"})
	})

	operation("post", func() {
		policy := minio.NewPostPolicy()
		must(policy.SetBucket(bucket))
		must(policy.SetKey("forms/1"))
		must(policy.SetExpires(time.Now().UTC().Add(time.Minute)))
		place, fields, err := client.PresignedPostPolicy(ctx, policy)
		must(err)
		send := func(key string) int {
			form := &bytes.Buffer{}
			for name, value := range fields {
				if name == "key" {
					value = key
				}
				fmt.Fprintf(form, "--edge\r\nContent-Disposition: form-data; name=\"%s\"\r\n\r\n%s\r\n", name, value)
			}
			fmt.Fprintf(form, "--edge\r\nContent-Disposition: form-data; name=\"file\"; filename=\"1\"\r\n\r\n%s\r\n--edge--\r\n", picture)
			answer, err := http.Post(place.String(), "multipart/form-data; boundary=edge", form)
			must(err)
			return answer.StatusCode
		}
		same(send("forms/1"), 204)
		same(body("forms/1"), picture)
		same(send("forms/2"), 403)
	})

	operation("wrong_secret", func() {
		_, err := put(connect("ENDPOINT", "not-the-secret", false), "forged", picture, minio.PutObjectOptions{})
		refused(err, "SignatureDoesNotMatch")
		_, err = read("forged", minio.GetObjectOptions{})
		refused(err, "NoSuchKey")
	})

	operation("other_clock", func() {
		_, err := connect("ENDPOINT_OF_ANOTHER_TIME", secret, false).PutObject(ctx, "media", "late", bytes.NewReader(picture), 28, minio.PutObjectOptions{})
		refused(err, "RequestTimeTooSkewed")
	})

	operation("delete_bucket", func() {
		refused(client.RemoveBucket(ctx, bucket), "BucketNotEmpty")
		remove(keys(minio.ListObjectsOptions{Recursive: true})...)
		must(client.RemoveBucket(ctx, bucket))
		exists, err := client.BucketExists(ctx, bucket)
		must(err)
		same(exists, false)
	})
}

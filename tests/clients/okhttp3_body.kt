// What OkHttp 4 calls `File.asRequestBody`, for OkHttp 3.
package okhttp3.RequestBody.Companion

import java.io.File
import okhttp3.MediaType
import okhttp3.RequestBody

fun File.asRequestBody(type: MediaType? = null): RequestBody = RequestBody.create(type, this)

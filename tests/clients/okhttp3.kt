// What is a property or an extension since OkHttp 4, for OkHttp 3.
package okhttp3

val Response.code: Int get() = code()
val Response.body: ResponseBody? get() = body()

fun String.toMediaType(): MediaType = MediaType.get(this)

// One upload by tus-js-client: what is asked comes as JSON on stdin, where the upload is and how often it was tried
// again goes to stdout. Ends with 1 when the server refused.

import { createReadStream, readFileSync } from 'node:fs'
import { Upload } from 'tus-js-client'

const asked = JSON.parse(readFileSync(0, 'utf8'))
let again = 0

const upload = new Upload(createReadStream(asked.file), {
  endpoint: asked.endpoint,
  uploadUrl: asked.uploadUrl ?? null,
  headers: { Authorization: `Bearer ${asked.token}` },
  metadata: asked.metadata,
  uploadSize: asked.size,
  chunkSize: asked.chunkSize ?? Infinity,
  overridePatchMethod: asked.overridePatchMethod ?? false,
  retryDelays: Array(20).fill(50),
  onShouldRetry: (error) => {
    const status = error.originalResponse ? error.originalResponse.getStatus() : 0
    const retrying = status === 0 || status === 409 || status >= 500
    again += retrying ? 1 : 0
    return retrying
  },
  onError: (error) => {
    const status = error.originalResponse ? error.originalResponse.getStatus() : 0
    console.log(JSON.stringify({ status, message: error.message, again }))
    process.exit(1)
  },
  onSuccess: () => console.log(JSON.stringify({ url: upload.url, again })),
})

upload.start()

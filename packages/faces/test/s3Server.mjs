/** `node s3Server.mjs DIRECTORY [PORT]`: a server of S3's protocol with an empty bucket in a directory; says its port, and ends with its input. */
import S3rver from "s3rver"

const server = new S3rver({
  port: Number(process.argv[3] ?? 0),
  address: "127.0.0.1",
  silent: true,
  directory: process.argv[2],
  configureBuckets: [{ name: "bucket", configs: [] }]
})
const { port } = await server.run()
console.log(port)
process.stdin.on("end", () => server.close()).resume()

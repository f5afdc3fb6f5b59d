// A document database over https on a free port, which checks the signature of each request as the service does.
//   node documents.js CERTIFICATE.pem KEY.pem ACCOUNT-KEY
"use strict";
const crypto = require("crypto");
const fs = require("fs");
const { createHttpsServer } = require("@zeit/cosmosdb-server");

const [certificate, key, accountKey] = process.argv.slice(2);
const server = createHttpsServer({ cert: fs.readFileSync(certificate), key: fs.readFileSync(key) });
const [handle] = server.listeners("request");
server.removeAllListeners("request");
server.on("request", (request, response) => {
  // A resource is signed by its own address, a list of them by the address of what holds them.
  const parts = request.url.split("?")[0].split("/").filter(part => part).map(decodeURIComponent);
  const list = parts.length % 2 === 1;
  const type = parts[parts.length - (list ? 1 : 2)];
  const link = (list ? parts.slice(0, -1) : parts).join("/");
  const text = `${request.method.toLowerCase()}\n${type}\n${link}\n${(request.headers["x-ms-date"] || "").toLowerCase()}\n\n`;
  const signature = crypto.createHmac("sha256", Buffer.from(accountKey, "base64")).update(text).digest("base64");
  if (decodeURIComponent(request.headers.authorization || "") !== `type=master&ver=1.0&sig=${signature}`) {
    response.statusCode = 401;
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ code: "Unauthorized", message: "The input authorization token can't serve the request." }));
    return;
  }

  // A page may always be shorter than was asked for.
  if (request.headers["x-ms-max-item-count"]) request.headers["x-ms-max-item-count"] = "10";
  handle(request, response);
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));

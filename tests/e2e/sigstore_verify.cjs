// Verifies a sigstore bundle of a key with npm's @sigstore/verify: node sigstore_verify.cjs MODULES BUNDLE KEY [FILE]
"use strict";
const crypto = require("node:crypto");
const fs = require("node:fs");
const path = require("node:path");

const [modules, bundlePath, keyPath, filePath] = process.argv.slice(2);
const from = (name) => require(path.join(modules, "@sigstore", name));
const { bundleFromJSON } = from("bundle");
const { toSignedEntity, Verifier } = from("verify");

const publicKey = crypto.createPublicKey(fs.readFileSync(keyPath));
const trusted = {
  certificateAuthorities: [],
  timestampAuthorities: [],
  tlogs: [],
  ctlogs: [],
  publicKey: () => ({ publicKey, validFor: () => true }),
};
const verifier = new Verifier(trusted, { ctlogThreshold: 0, tlogThreshold: 0, timestampThreshold: 0 });
const bundle = bundleFromJSON(JSON.parse(fs.readFileSync(bundlePath)));
verifier.verify(toSignedEntity(bundle, filePath ? fs.readFileSync(filePath) : undefined));
process.stdout.write("verified\n");

// Verifies a bundle of an identity with npm's @sigstore/verify: node ... MODULES BUNDLE TRUSTED_ROOT SUBJECT ISSUER FILE
"use strict";
const fs = require("node:fs");
const path = require("node:path");

const [modules, bundlePath, rootPath, subject, issuer, filePath] = process.argv.slice(2);
const from = (name) => require(path.join(modules, "@sigstore", name));
const { bundleFromJSON } = from("bundle");
const { TrustedRoot } = from("protobuf-specs");
const { toSignedEntity, toTrustMaterial, Verifier } = from("verify");

const trusted = toTrustMaterial(TrustedRoot.fromJSON(JSON.parse(fs.readFileSync(rootPath)).trustedRoot));
const verifier = new Verifier(trusted, { ctlogThreshold: 1, tlogThreshold: 1, timestampThreshold: 1 });
const bundle = bundleFromJSON(JSON.parse(fs.readFileSync(bundlePath)));
const policy = { subjectAlternativeName: subject, extensions: { issuer } };
verifier.verify(toSignedEntity(bundle, fs.readFileSync(filePath)), policy);
process.stdout.write("verified\n");

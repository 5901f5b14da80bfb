// Judges messages with commitlint: reads {"rules", "messages"} as JSON, writes for each message the rules that it breaks.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const require = createRequire(`${process.argv[2]}/`);
const load = async (name) => (await import(pathToFileURL(require.resolve(name)))).default;
const lint = await load("@commitlint/lint");
const conventional = await load("@commitlint/config-conventional");
const preset = await load("conventional-changelog-conventionalcommits");

let text = "";
for await (const chunk of process.stdin) text += chunk;
const { rules, messages } = JSON.parse(text);
const { parser } = await preset();
const broken = [];
for (const message of messages) {
  try {
    const result = await lint(message, { ...conventional.rules, ...rules }, { parserOpts: parser });
    broken.push([...result.errors, ...result.warnings].map((each) => each.name).sort());
  } catch (error) {
    broken.push([`!${error.message}`]);
  }
}
process.stdout.write(JSON.stringify(broken));

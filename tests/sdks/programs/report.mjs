// What the programs for Node share: each operation runs in its turn and reports itself in one line.

export const { ENDPOINT, ENDPOINT_OF_ANOTHER_TIME, REGION, ACCESS_KEY_ID, SECRET_ACCESS_KEY } = process.env;

// No text in any encoding, and a key of which every part is encoded by somebody.
export const PICTURE = Buffer.from('89504e470d0a1a0a00fffe802d2d0d0a2270696374757265220af09f', 'hex');
export const AWKWARD = "a b+c/%41&d=e?f#g/~!*'()ü漢😀;:@$,.png";
export const MIB = 1 << 20;

// Bytes that differ from part to part.
export const large = (size) => Buffer.alloc(size, Buffer.from(Array.from({ length: 251 }, (_, n) => n)));

// Runs it and says how it ended: `null`, or what went wrong.
export async function operation(name, run) {
  let error = null;
  try {
    await run();
  } catch (caught) {
    error = `${caught?.stack ?? caught}\n${JSON.stringify(caught)}`;
  }
  console.log(JSON.stringify({ operation: name, error }));
}

// What `run` throws.
export async function raises(run) {
  let answer;
  try {
    answer = await run();
  } catch (error) {
    return error;
  }
  throw new Error(`it was not refused: ${answer}`);
}

export function same(found, wanted) {
  const [left, right] = [found, wanted].map((value) => (Buffer.isBuffer(value) ? value.toString('hex') : JSON.stringify(value)));
  if (left !== right) throw new Error(`${String(left).slice(0, 400)} and not ${String(right).slice(0, 400)}`);
}

export async function bytes(stream) {
  const parts = [];
  for await (const part of stream) parts.push(Buffer.from(part));
  return Buffer.concat(parts);
}

// The baseline of SPEED-1 and SPEED-2: what a Node process costs that serves a Unix socket and nothing else.
import { createServer } from 'node:net';

const server = createServer((socket) => {
  socket.once('data', () => socket.end('pong\n'));
});
server.listen(process.argv[2], () => {
  process.stdout.write('ready\n');
});

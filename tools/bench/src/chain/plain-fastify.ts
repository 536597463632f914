import fastify from 'fastify';

// What a service would be without runners: the same sums, in the process that speaks HTTP.
const app = fastify();
app.post('/predict', async (request) => {
  const { body } = request;
  const [a = 0, b = 0, c = 0, d = 0] = Array.isArray(body) ? body.map(Number) : [];
  return { result: [a, 2 * b, 3 * c, a + b + c + 4 * d] };
});
app.post('/hello', async () => ({ ok: true }));
console.log(`ready on ${await app.listen({ host: '127.0.0.1', port: 0 })}`);
// The bench ended, however: the pipe that it reads is gone.
process.stdout.on('error', () => process.exit());

import { registerHooks } from 'node:module';

/** In the place of the client of Kafka, brokers that have the topic of the page's examples. */
const client = new URL('client.mjs', import.meta.url).href;

registerHooks({
  resolve: (specifier, context, next) =>
    specifier === '@platformatic/kafka'
      ? { url: client, format: 'module', shortCircuit: true }
      : next(specifier, context),
});

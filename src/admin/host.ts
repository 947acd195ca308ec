/**
 * For whom a request is. A page of some other site can make its name point to 127.0.0.1 and then read what answers there
 * (DNS rebinding); but its browser says that name. So who listens on loopback answers to names of loopback alone.
 */

/** `address`: where the server listens. `host`: the header, with any port: a forwarded one is another. */
export const isForUs = (address: string | undefined, host: string | undefined): boolean =>
  address === undefined || host === undefined || !isLoopback(address) || isLoopback(nameIn(host));

const isLoopback = (name: string): boolean => LOOPBACK.test(name);
const LOOPBACK = /^(?:localhost|127(?:\.[0-9]{1,3}){3}|::1|::ffff:127(?:\.[0-9]{1,3}){3})$/i;

const nameIn = (host: string): string => host.replace(/:[0-9]*$/, "").replace(/^\[(.*)\]$/, "$1");

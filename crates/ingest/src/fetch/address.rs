//! Which addresses may be connected to.
//!
//! A page can name any host, and a host can resolve to any address: a name that is public at one moment can lead to this
//! machine at the next. So a name is looked up once for each connection, what is not public is struck out, and the
//! connection is made to what is left. Redirects are connections like others.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::sync::Arc;

use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

/// Addresses of a host that are tried; as many as the client has room for.
const ADDRESSES_MAX: usize = 16;

/// Looks names up.
pub trait Names: Send + Sync {
    /// The addresses of `host_and_port`, such as `a.example:443`.
    fn addresses(&self, host_and_port: &str) -> io::Result<Vec<SocketAddr>>;
}

/// The names of this machine's resolver.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemNames;

impl Names for SystemNames {
    fn addresses(&self, host_and_port: &str) -> io::Result<Vec<SocketAddr>> {
        Ok(host_and_port.to_socket_addrs()?.collect())
    }
}

/// What can be reached.
#[derive(Clone)]
pub struct Reach {
    /// Who looks names up.
    pub names: Arc<dyn Names>,
    /// Which of their addresses are connected to.
    pub allows: fn(IpAddr) -> bool,
}

impl Default for Reach {
    fn default() -> Self {
        Self { names: Arc::new(SystemNames), allows: is_public }
    }
}

impl fmt::Debug for Reach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reach")
    }
}

impl Resolver for Reach {
    fn resolve(&self, uri: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let (Some(scheme), Some(authority)) = (uri.scheme(), uri.authority()) else {
            return Err(ureq::Error::HostNotFound);
        };
        let named = DefaultResolver::host_and_port(scheme, authority).ok_or(ureq::Error::HostNotFound)?;
        let found = self.names.addresses(&named)?;
        let mut allowed = self.empty();
        for address in found.iter().filter(|address| (self.allows)(address.ip())).take(ADDRESSES_MAX) {
            allowed.push(*address);
        }
        if allowed.is_empty() {
            let reason = if found.is_empty() { "it has no address" } else { "its address is not public" };
            return Err(ureq::Error::Io(io::Error::new(io::ErrorKind::PermissionDenied, reason)));
        }
        Ok(allowed)
    }
}

/// Whether an address is one of the open net: of no private, local, reserved or documentary range, and no way into one.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let is_special = address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_broadcast()
        || address.is_documentation()
        || a == 0
        || a >= 240
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 192 && b == 88 && c == 99)
        || (a == 198 && (18..20).contains(&b));
    !is_special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    if let Some(inner) = address.to_ipv4_mapped() {
        return is_public_v4(inner);
    }
    let embedded = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        Ipv4Addr::new(a, b, c, d)
    };
    match segments {
        // Translation to IPv4.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => is_public_v4(embedded(high, low)),
        // Teredo, benchmarks, ORCHID, documentation.
        [0x2001, second, ..] if second < 0x200 || second == 0xdb8 => false,
        [0x3fff, second, ..] if second < 0x1000 => false,
        // What is given out to the net so far; loopback, local and multicast ranges lie outside.
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_the_open_net() {
        let check = |text: &str, expected: bool| {
            let address: IpAddr = text.parse().expect("an address");
            assert_eq!(is_public(address), expected, "{text}");
        };
        for public in ["8.8.8.8", "93.184.215.14", "2606:2800:21f:cb07::1", "::ffff:8.8.8.8", "64:ff9b::808:808"] {
            check(public, true);
        }
        for private in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "192.0.0.1",
            "192.0.2.1",
            "198.18.0.1",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::1",
            "::",
            "fe80::1",
            "fc00::1",
            "fd12::1",
            "ff02::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "2001:db8::1",
            "2001::1",
            "::127.0.0.1",
            "fec0::1",
        ] {
            check(private, false);
        }
    }
}

//! The address of who calls: where it is taken from, and its text.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use axum::{
    extract::{ConnectInfo, Request},
    http::HeaderMap,
};

use crate::state::State;

/// The address that the request came from: the connection's, or what a trusted proxy says.
#[derive(Clone, Copy, Debug)]
pub struct ClientAddress(pub IpAddr);

// === impl ClientAddress ===

impl ClientAddress {
    /// Of a request that no network has brought: our own.
    pub fn of<B>(request: &axum::http::Request<B>) -> IpAddr {
        let own = IpAddr::from([127, 0, 0, 1]);
        request.extensions().get::<Self>().map_or(own, |address| address.0)
    }

    /// Finds it out, for everything further in.
    pub fn find(state: &State, request: &mut Request) {
        let peer = request
            .extensions()
            .get::<ConnectInfo<SocketAddr>>()
            .map_or(IpAddr::from([127, 0, 0, 1]), |info| info.0.ip().to_canonical());
        let trusted = |address: &IpAddr| state.config.listen.trusted_proxies.iter().any(|network| network.contains(address));
        let client = ClientAddress(client(peer, request.headers(), trusted));
        request.extensions_mut().insert(client);
    }
}

/// Each trusted proxy vouches for the hop before it, from the right. What is before an unreadable one is nobody's word.
fn client(peer: IpAddr, headers: &HeaderMap, trusted: impl Fn(&IpAddr) -> bool) -> IpAddr {
    // Line by line and byte by byte: a proxy appends its word to whatever the caller has sent.
    let lines = headers.get_all("x-forwarded-for").iter().rev();
    let hops = lines.flat_map(|line| line.as_bytes().rsplit(|byte| *byte == b','));
    std::iter::once(peer)
        .chain(hops.map_while(hop))
        .find(|address| !trusted(address))
        .unwrap_or(peer)
}

/// An address, perhaps with a port: `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:4711`.
fn hop(text: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(text).ok()?.trim();
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    let address = match bare {
        Some(bare) => bare.parse::<Ipv6Addr>().ok()?.into(),
        None => text.parse().ok().or_else(|| Some(text.parse::<SocketAddr>().ok()?.ip()))?,
    };
    Some(IpAddr::to_canonical(&address))
}

/// Each call needs it, and the formatting of `std` costs ten times as much.
pub fn text(address: IpAddr) -> String {
    let IpAddr::V4(address) = address else { return address.to_string() };
    let (mut text, mut digits) = (String::with_capacity(15), itoa::Buffer::new());
    for (place, byte) in address.octets().into_iter().enumerate() {
        if place > 0 {
            text.push('.');
        }
        text.push_str(digits.format(byte));
    }
    text
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use axum::http::{HeaderMap, HeaderValue};

    use super::{client, text};

    /// Who is taken for the client, where 10.0.0.0/8 and fd00::/8 are the proxies.
    fn taken(peer: &str, lines: &[&[u8]]) -> String {
        let networks: [ipnet::IpNet; 2] = ["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()];
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append("x-forwarded-for", HeaderValue::from_bytes(line).unwrap());
        }
        let trusted = |address: &IpAddr| networks.iter().any(|network| network.contains(address));
        client(peer.parse().unwrap(), &headers, trusted).to_string()
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        assert_eq!(taken("192.0.2.9", &[b"127.0.0.1"]), "192.0.2.9");
        assert_eq!(taken("192.0.2.9", &[b"10.0.0.1, 10.0.0.2"]), "192.0.2.9");
        assert_eq!(taken("10.0.0.1", &[]), "10.0.0.1");
        assert_eq!(taken("10.0.0.1", &[b"203.0.113.5"]), "203.0.113.5");
        assert_eq!(taken("fd00::1", &[b"2001:db8::5"]), "2001:db8::5");
    }

    #[test]
    fn of_a_chain_the_last_hop_that_nobody_vouches_for_counts() {
        assert_eq!(taken("10.0.0.1", &[b"127.0.0.1, 203.0.113.5"]), "203.0.113.5");
        assert_eq!(taken("10.0.0.1", &[b"6.6.6.6, 203.0.113.5, 10.0.0.2,10.0.0.3"]), "203.0.113.5");
        assert_eq!(taken("10.0.0.1", &[b"10.0.0.7, 10.0.0.8"]), "10.0.0.1");
        // Two lines are one list (RFC 9110 section 5.3).
        assert_eq!(taken("10.0.0.1", &[b"6.6.6.6", b"203.0.113.5"]), "203.0.113.5");
        assert_eq!(taken("10.0.0.1", &[b"6.6.6.6, 203.0.113.5", b"10.0.0.2"]), "203.0.113.5");
        let many = "6.6.6.6,".repeat(3000) + "203.0.113.5" + &", 10.0.0.9".repeat(1000);
        assert_eq!(taken("10.0.0.1", &[many.as_bytes()]), "203.0.113.5");
    }

    #[test]
    fn what_is_before_garbage_is_nobodys_word() {
        for garbage in [
            &b"unknown"[..],
            b"",
            b",",
            b"_hidden",
            b"1.2.3",
            b"1.2.3.4.5",
            b"0x7f.1",
            b"01.02.03.04",
            b"fe80::1%eth0",
            b"[fe80::1%25eth0]",
            b"[10.0.0.2]",
            b"[2001:db8::1",
            b"for=203.0.113.5",
            b"\"203.0.113.5\"",
            b"10.0.0.2\xa0",
            b"\xff",
        ] {
            let line = [b"6.6.6.6, ", garbage].concat();
            assert_eq!(taken("10.0.0.1", &[&line]), "10.0.0.1", "{}", line.escape_ascii());
            // A proxy that appends its word to garbage of the caller's is believed all the same, and no line before it.
            let line = [garbage, b", 203.0.113.5"].concat();
            assert_eq!(taken("10.0.0.1", &[b"6.6.6.6", &line]), "203.0.113.5", "{}", line.escape_ascii());
            assert_eq!(taken("10.0.0.1", &[b"6.6.6.6", garbage]), "10.0.0.1", "{}", garbage.escape_ascii());
        }
    }

    #[test]
    fn ports_brackets_and_mapped_addresses_are_read() {
        for (hop, address) in [
            ("203.0.113.5:4711", "203.0.113.5"),
            ("[2001:db8::5]", "2001:db8::5"),
            ("[2001:db8::5]:4711", "2001:db8::5"),
            ("::ffff:203.0.113.5", "203.0.113.5"),
            (" \t203.0.113.5 ", "203.0.113.5"),
        ] {
            assert_eq!(taken("10.0.0.1", &[hop.as_bytes()]), address);
        }
        // A proxy by its mapped address is a proxy.
        assert_eq!(taken("10.0.0.1", &[b"203.0.113.5, ::ffff:10.0.0.2"]), "203.0.113.5");
    }

    #[test]
    fn it_is_the_text_that_everybody_writes() {
        for address in ["0.0.0.0", "127.0.0.1", "203.0.113.255", "2001:db8::1", "::"] {
            assert_eq!(text(address.parse().unwrap()), address);
        }
    }
}

use proptest::prelude::{Strategy, any, prop_assert_eq, proptest};

use super::{Masker, Place};
use crate::Mask;

fn masked(text: &str) -> String {
    let mut masker = Masker::new(&Mask::ALL);
    masker.reserve(text);
    masker.mask(text, Place::Text).unwrap_or_else(|| text.to_owned())
}

/// Masking again changes nothing.
fn check(text: &str, expected: &str) {
    let once = masked(text);
    assert_eq!(once, expected, "{text}");
    assert_eq!(masked(&once), once, "{text}: masking twice");
}

fn stays(text: &str) {
    check(text, text);
}

/// All digits become zeros.
fn is_zeroed(text: &str) {
    let zeros: String = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    check(text, &zeros);
}

#[test]
fn addresses_are_numbered() {
    check("Write to bob@corp.com.", "Write to name1@example.com.");
    check("a.b+c@x.co.uk, BOB@y.org; bob@Y.org", "name1@example.com, name2@example.com; name2@example.com");
    check("<bob@corp.com>(ann@corp.com)", "<name1@example.com>(name2@example.com)");
    check("jürgen.müller@straße.de", "name1@example.com");
    check("联系邮箱bob@corp.com请写信", "联系邮箱name1@example.com请写信");
    check("name1@example.com is taken, bob@corp.com", "name1@example.com is taken, name2@example.com");
    check("mailto:%20bob%40corp.com", "mailto:%20name1%40example.com");
    check("x@corp.xn--p1ai", "name1@example.com");
    check("o'neil_x@corp.museum!", "name1@example.com!");
    check("a@b.com.c@d.org", "name3@example.com@example.com");
    check("a@bb.com'c@dd.org", "name1@example.com'name2@example.com");
}

#[test]
fn what_is_no_address_stays() {
    for text in [
        "logo@2x.png",
        "img/a@3x.jpg 2x",
        "react@18.2.0",
        "@media screen",
        "follow @bob",
        "bob@localhost",
        "me@example.org",
        "me@mail.example.com",
        "x@y.invalid, x@y.test",
        "bob [at] corp.com",
        "a @ b.com",
        "lodash@4.17.21.tgz",
    ] {
        stays(text);
    }
}

#[test]
fn public_addresses_become_those_of_documentation() {
    check("from 93.184.216.34:80 to 8.8.200.8", "from 192.0.2.1:80 to 192.0.2.2");
    check("93.184.216.34, again 93.184.216.34.", "192.0.2.1, again 192.0.2.1.");
    check("192.0.2.1 and 93.184.216.34", "192.0.2.1 and 192.0.2.2");
    check("http://93.184.216.34/x", "http://192.0.2.1/x");
    check("[2a00:1450:4001:82b::200e]:443", "[2001:db8::1]:443");
    check("2606:2800:220:1:248:1893:25c8:1946", "2001:db8::1");
    check("93.184.216.0/24", "192.0.2.1/24");
}

#[test]
fn what_is_no_public_address_stays() {
    for text in [
        "192.168.1.77",
        "10.20.30.40 127.0.0.1 0.0.0.0 255.255.255.0 172.16.99.1 169.254.99.1",
        "198.51.100.7 203.0.113.9 2001:db8::5",
        "see section 1.2.3.4",
        "Recorder 3.1.3.145",
        "version 93.184.216.34",
        "Chrome/120.0.66.0",
        "v93.184.216.34",
        "1.2.3.400",
        "93.184.216.34.5",
        "12:34:56 and 2024:01:02",
        "fe80::1 ::1 std::vec a::b 2001::db8::1",
        "2024::before",
    ] {
        stays(text);
    }
}

#[test]
fn cards_become_zeros() {
    for text in [
        "4111 1111 1111 1111",
        "4111-1111-1111-1111",
        "Visa: 4111111111111111.",
        "5555555555554444",
        "3782 822463 10005",
        "378282246310005",
        "6011111111111117",
        "3530111333300000",
        "30569309025904",
        "2223003122003222",
    ] {
        is_zeroed(text);
    }
    for text in [
        "4011905623016",
        "4111111111111112",
        "1234567890123456",
        "X4111111111111111",
        "id/4111111111111111",
        "41111111111111111111",
    ] {
        stays(text);
    }
}

#[test]
fn account_numbers_keep_their_country() {
    check("IBAN: DE89 3704 0044 0532 0130 00 BIC COBADEFF", "IBAN: DE00 0000 0000 0000 0000 00 BIC COBADEFF");
    check("GB29NWBK60161331926819.", "GB00NWBK00000000000000.");
    check("FR14 2004 1010 0505 0001 3M02 606", "FR00 0000 0000 0000 0000 0M00 000");
    check("NO93 8601 1117 947,CH9300762011623852957", "NO00 0000 0000 000,CH0000000000000000000");
    for text in ["DE89 3704 0044 0532 0130 01", "XX89370400440532013000", "ADE89370400440532013000", "DE89 3704"] {
        stays(text);
    }
}

#[test]
fn phone_numbers_become_zeros() {
    for text in [
        // With the code of a country.
        "+49 30 901820",
        "+49 (0)30 / 901820",
        "+1 (415) 555-2671",
        "+1-415-555-2671",
        "+1.415.555.2671",
        "(+44) 20 7946 0958",
        "+44 (0) 20 7946 0958",
        "+33 6 12 34 56 78",
        "+34 612 345 678",
        "+48 123 456 789",
        "+4512345678",
        "+91 98765 43210",
        "+86 138 1234 5678",
        "+7 (495) 123-45-67",
        "+55 11 91234-5678",
        "+81-3-1234-5678",
        "+61 2 9876 5432",
        "+420 123 456 789",
        "+353 1 234 5678",
        "+41 44 668 18 00",
        "+90 212 345 67 89",
        "0049 30 901820",
        // Of North America.
        "415-555-2671",
        "(415) 555-2671",
        "(415)555-2671",
        "415.555.2671",
        "415 555-2671",
        "1-800-555-0199",
        "1 (415) 555-2671",
        // With the zero of a long-distance call, or an area in brackets.
        "030 901820-0",
        "030/9018200",
        "(030) 901820",
        "0171 - 123 45 67",
        "06 12 34 56 78",
        "06.12.34.56.78",
        "020 7946 0958",
        "(020) 7946 0958",
        "01632 960001",
        "044 668 18 00",
        "03-1234-5678",
        "0412 345 678",
        "(02) 9876 5432",
        "010-12345678",
        "(11) 91234-5678",
        "8 (495) 123-45-67",
        "02 123 45 67",
        // In groups that only phone numbers come in.
        "8-800-555-35-35",
        "91 123 45 67",
        "612 34 56 78",
        "11 91234-5678",
        "138 1234 5678",
        "1300 123 456",
        // A word says so.
        "Tel: 4155552671",
        "Tel.-Nr.: 901820",
        "Phone 555-0199",
        "Fax 12 34 56 78",
        "тел. 495 123 45 67",
        "电话：12345678",
        "联系电话 62345678",
        "Telefonnummer: 123456",
        "Mobile: 347 1234567",
    ] {
        is_zeroed(text);
    }
    check("030 901820 10-18 Uhr", "000 000000 10-18 Uhr");
    check("Tel. 030 901820 / 030 901821.", "Tel. 000 000000 / 000 000000.");
    check("030 901820 - 030 901821", "000 000000 - 000 000000");
    check("Call 415-555-2671x12 or 415-555-2672, 24h", "Call 000-000-0000x12 or 000-000-0000, 24h");
    check("(030) 901820 (030) 901821", "(000) 000000 (000) 000000");
    check("电话010-62345678。", "电话000-00000000。");
    check("in 2024, call +49 30 901820!", "in 2024, call +00 00 000000!");
}

#[test]
fn other_numbers_stay() {
    for text in [
        "2010-2020",
        "2010 - 2020 and 1999–2003",
        "01.02.2024",
        "01/02/2024 09:30",
        "2024-01-15 10:20",
        "2024-01-15T10:20:30+01:00",
        "1.2.24",
        "01.02.24-03.02.24",
        "08:00-17:00, 09.00 - 17.30",
        "Mo-Fr 08.00-12.00 14.00-18.00",
        "$1,234,567.89 and 1.234.567,89 €",
        "1 234 567 890",
        "+10 000 000 users",
        "+1 000 000 000",
        "030 901820 €",
        "978-3-16-148410-0",
        "ISBN 0-306-40615-2",
        "ISBN 978 3 16 148410 0",
        "Order no. 030-1234567",
        "order 4711-030-1234567",
        "No. 20240115",
        "52.520008, 13.404954",
        "-0.127758 51.507351",
        "0.123456789",
        "call 198.51.100.77",
        "123-45-6789",
        "94103-1234",
        "10115 Berlin",
        "1920x1080 1280 720",
        "J. Chem. 12 (2019) 345-678",
        "01 02 03 04 05 06",
        "01 02 03 04 05",
        "https://example.com/030-1234567",
        "id=415-555-2671",
        "#030 1234567",
        "A-415-555-2671",
        "USt-IdNr. DE123456789",
        "HRB 012 345678",
        "UTC+01:00",
        "100%",
        "12345678901234567890",
        "+000 00 000000",
        "SIRET 012 345 678 00012",
        "a mob of 700-800 people",
        "Lincroft, NJ 07738-1543",
        "65000 - 75000",
        "Win32 10.0.19045.2006",
        "3/4/5 7-8-9",
    ] {
        stays(text);
    }
}

#[test]
fn a_number_of_the_page_is_known_everywhere() {
    let mut masker = Masker::new(&[Mask::Phone]);
    masker.know_phone("+49 347 123456");
    let mut check = |text: &str, expected: Option<&str>| {
        assert_eq!(masker.mask(text, Place::Text).as_deref(), expected, "{text}");
    };
    check("ask 347123456", Some("ask 000000000"));
    check("ask 0347 123456", Some("ask 0000 000000"));
    check("ask 347123457", None);
}

#[test]
fn a_mask_that_is_not_set_masks_nothing() {
    let text = "bob@corp.com +49 30 901820 93.184.216.34 4111111111111111 DE89370400440532013000";
    for mask in Mask::ALL {
        let masks = [mask];
        let mut masker = Masker::new(&masks);
        masker.mask(text, Place::Text);
        assert_eq!(masker.masked, 1, "{}", mask.name());
    }
    assert_eq!(Masker::new(&[]).mask(text, Place::Text), None);
}

/// Things that are masked, pieces of them, and what glues them.
fn pieces() -> impl Strategy<Value = String> {
    const PIECES: &[&str] = &[
        "bob@corp.com",
        "name1@example.com",
        "@",
        "a",
        ".",
        "-",
        "_",
        "'",
        "%40",
        "%",
        "+",
        "49",
        "0",
        "00",
        "030",
        "415",
        "555",
        "2671",
        "123456",
        " ",
        "(",
        ")",
        "/",
        ":",
        "93.184.216.34",
        "192.0.2.1",
        "2a00:1450::1",
        "4111111111111111",
        "DE89370400440532013000",
        "Tel",
        "order",
        "01.02.2024",
        "978",
        "é",
        "电话",
        "\u{a0}",
        "\n",
        "1",
        "com",
        "x",
        ",",
        "€",
    ];
    proptest::collection::vec(proptest::sample::select(PIECES), 0..16).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn masking_twice_is_masking_once(text in pieces()) {
        let once = masked(&text);
        prop_assert_eq!(masked(&once), once);
    }

    #[test]
    fn any_text_is_masked(text in any::<String>(), digits in "[0-9 ().+@:/-]{0,40}") {
        let once = masked(&format!("{text}{digits}"));
        prop_assert_eq!(masked(&once), once);
    }
}

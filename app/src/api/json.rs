//! JSON that has been read, to make any type of.
//!
//! `serde_json::from_str` compiles reading anew for each type, and twice for a struct, which could come as a list. Here the text is read by
//! one piece of code, and a struct's fields are put into its order, a variant's name into a number, before what is compiled for each type
//! takes them. That keeps the browser's modules small. Names of fields and variants therefore have no `alias`.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize,
    de::{
        self, DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Expected, MapAccess, SeqAccess, Unexpected, VariantAccess,
        Visitor, value::U32Deserializer,
    },
};

/// Reads a text as `serde_json::from_str` does, but that a struct has to be an object.
///
/// # Errors
/// It is no JSON, or not of this type.
pub fn from_str<T: DeserializeOwned>(text: &str) -> Result<T, Error> {
    T::deserialize(read(text)?)
}

type Error = serde_json::Error;

/// A JSON value; its texts are those of what was read, where they stand there as they are.
enum Json<'de> {
    /// A field that is not there: nothing but an `Option` can be made of it.
    Missing,
    Null,
    Flag(bool),
    Natural(u64),
    Negative(i64),
    Float(f64),
    Text(Cow<'de, str>),
    List(Vec<Json<'de>>),
    Object(Vec<(Cow<'de, str>, Json<'de>)>),
}

#[inline(never)]
fn read(text: &str) -> Result<Json<'_>, Error> {
    serde_json::from_str(text)
}

// === impl Json ===

impl Json<'_> {
    #[inline(never)]
    fn wrong(self, expected: &dyn Expected) -> Error {
        de::Error::invalid_type(
            match &self {
                Self::Missing => Unexpected::Other("nothing"),
                Self::Null => Unexpected::Unit,
                Self::Flag(flag) => Unexpected::Bool(*flag),
                Self::Natural(number) => Unexpected::Unsigned(*number),
                Self::Negative(number) => Unexpected::Signed(*number),
                Self::Float(number) => Unexpected::Float(*number),
                Self::Text(text) => Unexpected::Str(text),
                Self::List(_) => Unexpected::Seq,
                Self::Object(_) => Unexpected::Map,
            },
            expected,
        )
    }
}

impl<'de> Json<'de> {
    /// A text is the name of a variant that holds nothing.
    #[inline(never)]
    fn variant(self, names: Names, expected: &dyn Expected) -> Result<Variant<'de>, Error> {
        let (name, holds) = match self {
            Self::Object(object) => match <[_; 1]>::try_from(object) {
                Ok([variant]) => variant,
                Err(object) => return Err(Self::Object(object).wrong(expected)),
            },
            Self::Text(name) => (name, Self::Null),
            other => return Err(other.wrong(expected)),
        };
        Ok(Variant { name, names, holds })
    }

    /// The fields of a struct, in its order.
    #[inline(never)]
    fn fields(self, names: Names, expected: &dyn Expected) -> Result<Struct<'de>, Error> {
        let Self::Object(object) = self else {
            return Err(self.wrong(expected));
        };
        let mut values: Vec<Self> = names.iter().map(|_| Self::Missing).collect();
        for (key, value) in object {
            let Some(place) = names.iter().position(|name| *name == key) else {
                continue;
            };
            if !matches!(values[place], Self::Missing) {
                return Err(de::Error::duplicate_field(names[place]));
            }
            values[place] = value;
        }
        Ok(Struct {
            values: names.iter().zip(values).collect::<Vec<_>>().into_iter(),
            missing: None,
        })
    }
}

impl<'de> Deserialize<'de> for Json<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Json<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Json<'de>, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Json<'de>, E> {
        Ok(Json::Flag(flag))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Json<'de>, E> {
        Ok(Json::Natural(number))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Json<'de>, E> {
        Ok(Json::Negative(number))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Json<'de>, E> {
        Ok(Json::Float(number))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Json<'de>, E> {
        Ok(Json::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Json<'de>, E> {
        Ok(Json::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Json<'de>, A::Error> {
        let mut list = Vec::new();
        while let Some(element) = from.next_element()? {
            list.push(element);
        }
        Ok(Json::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Json<'de>, A::Error> {
        let mut object = Vec::new();
        while let Some(key) = from.next_key()? {
            // A key is a text, whatever reads it.
            if let Json::Text(key) = key {
                object.push((key, from.next_value()?));
            }
        }
        Ok(Json::Object(object))
    }
}

/// Methods that do what another one does.
macro_rules! the_same {
    ($as:ident: $($method:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            self.$as(visitor)
        })*
    };
}

impl<'de> Deserializer<'de> for Json<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self {
            Self::Missing => Err(self.wrong(&visitor)),
            Self::Null => visitor.visit_unit(),
            Self::Flag(flag) => visitor.visit_bool(flag),
            Self::Natural(_) | Self::Negative(_) | Self::Float(_) => self.deserialize_f64(visitor),
            Self::Text(text) => visitor.visit_string(text.into_owned()),
            Self::List(_) => self.deserialize_seq(visitor),
            Self::Object(_) => self.deserialize_map(visitor),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self {
            Self::Flag(flag) => visitor.visit_bool(flag),
            other => Err(other.wrong(&visitor)),
        }
    }

    /// Which numbers will do is for the visitor to say.
    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self {
            Self::Natural(number) => visitor.visit_u64(number),
            Self::Negative(number) => visitor.visit_i64(number),
            Self::Float(number) => visitor.visit_f64(number),
            other => Err(other.wrong(&visitor)),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self {
            Self::Text(text) => visitor.visit_string(text.into_owned()),
            other => Err(other.wrong(&visitor)),
        }
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self {
            Self::Text(text) => visitor.visit_str(&text),
            other => Err(other.wrong(&visitor)),
        }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self {
            Self::Null => visitor.visit_unit(),
            other => Err(other.wrong(&visitor)),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self {
            Self::Missing | Self::Null => visitor.visit_none(),
            some => visitor.visit_some(some),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self {
            Self::List(list) => {
                let mut elements = Elements(list.into_iter());
                let read = visitor.visit_seq(&mut elements)?;
                elements.0.next().map_or(Ok(read), |more| Err(more.wrong(&"the end of the list")))
            }
            other => Err(other.wrong(&visitor)),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self {
            Self::Object(object) => visitor.visit_map(Fields {
                fields: object.into_iter(),
                value: None,
            }),
            other => Err(other.wrong(&visitor)),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(self, _: &'static str, _: usize, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(self, _: &'static str, names: Names, visitor: V) -> Result<V::Value, Error> {
        let mut fields = self.fields(names, &visitor)?;
        visitor.visit_seq(&mut fields).map_err(|error| fields.or_missing(error))
    }

    fn deserialize_enum<V: Visitor<'de>>(self, _: &'static str, names: Names, visitor: V) -> Result<V::Value, Error> {
        let variant = self.variant(names, &visitor)?;
        visitor.visit_enum(variant)
    }

    the_same! { deserialize_f64: deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 }
    the_same! { deserialize_f64: deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_f32 }
    the_same! { deserialize_string: deserialize_str deserialize_char deserialize_bytes deserialize_byte_buf }
}

type Names = &'static [&'static str];

/// What is left of a list.
struct Elements<'de>(std::vec::IntoIter<Json<'de>>);

impl<'de> SeqAccess<'de> for &mut Elements<'de> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        self.0.next().map(|element| seed.deserialize(element)).transpose()
    }
}

/// What is left of an object, and the value of the key that was read last.
struct Fields<'de> {
    fields: std::vec::IntoIter<(Cow<'de, str>, Json<'de>)>,
    value: Option<Json<'de>>,
}

impl<'de> Fields<'de> {
    #[inline(never)]
    fn key(&mut self) -> Option<Json<'de>> {
        let (key, value) = self.fields.next()?;
        self.value = Some(value);
        Some(Json::Text(key))
    }

    #[inline(never)]
    fn value(&mut self) -> Json<'de> {
        self.value.take().unwrap_or(Json::Null)
    }
}

impl<'de> MapAccess<'de> for Fields<'de> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        self.key().map(|key| seed.deserialize(key)).transpose()
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        seed.deserialize(self.value())
    }
}

/// What is left of a struct.
struct Struct<'de> {
    values: std::vec::IntoIter<(&'static &'static str, Json<'de>)>,
    /// The field that was asked for last, where it is not there and there has to be something.
    missing: Option<&'static str>,
}

impl<'de> Struct<'de> {
    #[inline(never)]
    fn value(&mut self) -> Json<'de> {
        self.missing = None;
        let Some((name, value)) = self.values.next() else {
            return Json::Missing;
        };
        self.missing = matches!(value, Json::Missing).then_some(*name);
        value
    }

    /// What is not there is left to a default, where there is one.
    #[inline(never)]
    fn nothing(&self, error: Error) -> Result<(), Error> {
        self.missing.map(|_| ()).ok_or(error)
    }

    #[inline(never)]
    fn or_missing(&self, error: Error) -> Error {
        self.missing.map_or(error, de::Error::missing_field)
    }
}

impl<'de> SeqAccess<'de> for &mut Struct<'de> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        match seed.deserialize(self.value()) {
            Ok(value) => Ok(Some(value)),
            Err(error) => self.nothing(error).map(|()| None),
        }
    }
}

/// A variant of an enum: its name among those that there are, and what it holds.
struct Variant<'de> {
    name: Cow<'de, str>,
    names: Names,
    holds: Json<'de>,
}

impl Variant<'_> {
    #[inline(never)]
    fn number(&self) -> U32Deserializer<Error> {
        let place = self.names.iter().position(|name| *name == self.name);
        // None has this number; one that stands for all others takes it.
        U32Deserializer::new(place.map_or(u32::MAX, |place| place as u32))
    }

    #[inline(never)]
    fn unknown(&self) -> Error {
        de::Error::unknown_variant(&self.name, self.names)
    }
}

impl<'de> EnumAccess<'de> for Variant<'de> {
    type Error = Error;
    type Variant = Json<'de>;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Json<'de>), Error> {
        match seed.deserialize(self.number()) {
            Ok(variant) => Ok((variant, self.holds)),
            Err(_) => Err(self.unknown()),
        }
    }
}

impl<'de> VariantAccess<'de> for Json<'de> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        <()>::deserialize(self)
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Error> {
        seed.deserialize(self)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(self, names: Names, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_struct("", names, visitor)
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, fmt::Debug};

    use serde::Deserialize;

    use super::from_str;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Everything {
        flag: bool,
        small: u8,
        whole: i64,
        float: f64,
        text: String,
        nothing: Option<String>,
        #[serde(default)]
        missing: Vec<u64>,
        absent: Option<Wrapped>,
        #[serde(default = "seven")]
        seven: u8,
        #[serde(default, deserialize_with = "doubled")]
        doubled: u32,
        pair: (String, i32),
        map: BTreeMap<String, Option<f64>>,
        wrapped: Wrapped,
        many: Vec<Kind>,
        tagged: Vec<Tagged>,
    }

    fn seven() -> u8 {
        7
    }

    fn doubled<'de, D: serde::Deserializer<'de>>(from: D) -> Result<u32, D::Error> {
        u32::deserialize(from).map(|number| number * 2)
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Wrapped(String);

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Kind {
        Alone,
        One(String),
        Two(i64, bool),
        Named {
            at: u32,
        },
        #[serde(other)]
        Other,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Strict {
        A,
        B,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(tag = "kind", rename_all = "snake_case")]
    enum Tagged {
        User { name: String, was: Option<Wrapped> },
        Count { number: u64 },
    }

    const TEXT: &str = r#"{"flag":true,"small":255,"whole":-9007199254740993,"float":0.1,"text":"a \"b\" \u00fc\n","nothing":null,"unknown":[{"a":[1]}],
        "pair":["x",-1],"map":{"b":1,"a":null,"c":-2.5e-3},"wrapped":"w",
        "many":["alone",{"one":"o"},{"two":[1,false]},{"named":{"at":7}},"what else"],
        "tagged":[{"name":"n","kind":"user","was":"w"},{"kind":"count","number":18446744073709551615}]}"#;

    fn same<T: serde::de::DeserializeOwned + Debug + PartialEq>(text: &str) {
        let (one, other) = (from_str::<T>(text), serde_json::from_str::<T>(text));
        match (one, other) {
            (Ok(one), Ok(other)) => assert_eq!(one, other, "{text}"),
            (Err(_), Err(_)) => {}
            (one, other) => panic!("{text}: {one:?} and {other:?}"),
        }
    }

    #[test]
    fn it_reads_what_serde_json_reads() {
        same::<Everything>(TEXT);
        assert!(from_str::<Everything>(TEXT).is_ok());
        same::<Vec<u32>>("[1,2]");
        same::<String>("\"\\ud83d\\ude00\"");
        same::<f64>("3");
        same::<()>("null");
        same::<char>("\"ü\"");
        for more in ["\"absent\":\"a\"", "\"doubled\":4", "\"seven\":8", "\"missing\":[3]"] {
            let text = TEXT.replacen('{', &format!("{{{more},"), 1);
            same::<Everything>(&text);
            assert!(from_str::<Everything>(&text).is_ok(), "{text}");
        }
    }

    #[test]
    fn it_refuses_what_serde_json_refuses() {
        for (from, to) in [
            ("255", "256"),
            ("true", "1"),
            ("\"x\",-1", "\"x\",-1,2"),
            ("\"x\",-1", "\"x\""),
            ("\"user\"", "\"nobody\""),
            ("{\"one\":\"o\"}", "{\"one\":\"o\",\"two\":1}"),
            ("\"wrapped\":\"w\",", ""),
            ("\"flag\":true", "\"flag\":true,\"flag\":true"),
            ("\"flag\":true", "\"flag\":true,\"seven\":null"),
            ("\"flag\":true", "\"flag\":true,\"missing\":{}"),
            ("15}]}", "15}]"),
        ] {
            let text = TEXT.replacen(from, to, 1);
            assert_ne!(text, TEXT);
            same::<Everything>(&text);
            assert!(from_str::<Everything>(&text).is_err(), "{text}");
        }
        same::<u32>("1 2");
        same::<Vec<u32>>(&"[".repeat(1000));
        same::<Kind>("{\"alone\":1}");
        same::<Strict>("\"b\"");
        same::<Strict>("1");
        same::<Kind>("{}");
        same::<Kind>("{\"one\":null}");
    }

    #[test]
    fn an_error_says_what_is_wrong() {
        let says = |text| from_str::<Everything>(text).unwrap_err().to_string();
        assert_eq!(says("{\"flag\":1}"), "invalid type: integer `1`, expected a boolean");
        assert_eq!(says("{\"flag\":true}"), "missing field `small`");
        assert_eq!(
            from_str::<Strict>("\"c\"").unwrap_err().to_string(),
            "unknown variant `c`, expected `a` or `b`"
        );
        assert_eq!(says("[]"), "invalid type: sequence, expected struct Everything");
    }
}

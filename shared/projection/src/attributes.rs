//! Items of the official client.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Serialize, Serializer, ser::Error as _};

use crate::error::Malformed;
use crate::output::{Output, Scalar};
use crate::transcode::Transcoder;

impl Transcoder {
    /// Writes an item of the official client as JSON, by the same rules and to the same bytes as an
    /// item that is read from DynamoDB's JSON. The output holds this item alone, with its picks and
    /// insertions.
    ///
    /// # Errors
    /// [`Malformed`], if an attribute that is shown or picked is of a type that the client does not
    /// know, or an `N` that is no number.
    ///
    /// ```
    /// use std::collections::HashMap;
    /// use aws_sdk_dynamodb::types::AttributeValue;
    /// use projection::{Field, Kind, Selection, Transcoder};
    ///
    /// static FIELDS: [Field; 1] = [Field { name: "name", kind: Kind::Text, about: "" }];
    /// let item = HashMap::from([
    ///     ("name".to_owned(), AttributeValue::S("Ada".to_owned())),
    ///     ("secret".to_owned(), AttributeValue::S("x".to_owned())),
    /// ]);
    /// let output = Transcoder::new(&Selection::all(&FIELDS), &[], None).attributes(&item)?;
    /// assert_eq!(output.json, br#"{"name":"Ada"}"#);
    /// # Ok::<(), projection::Malformed>(())
    /// ```
    pub fn attributes(
        &self,
        item: &HashMap<String, AttributeValue>,
    ) -> Result<Output<'static>, Malformed> {
        let looked_at =
            self.names().filter_map(|name| item.get(name).map(|value| (name, SdkAttribute(value))));
        let text = serde_json::to_string(&looked_at.collect::<HashMap<_, _>>()).map_err(|_| {
            Malformed::Content("an attribute is of a type that the client does not know")
        })?;
        let mut output = Output::default();
        self.read(&text, &mut output)?;
        let Output { json, picks, insertions, .. } = output;
        let picks = picks.into_iter().map(|pick| pick.map(Scalar::into_owned)).collect();
        Ok(Output { json, picks, insertions, ..Output::default() })
    }
}

/// An attribute value, written in DynamoDB's JSON.
struct SdkAttribute<'a>(&'a AttributeValue);

impl Serialize for SdkAttribute<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        fn typed<S: Serializer>(
            serializer: S,
            name: &str,
            value: impl Serialize,
        ) -> Result<S::Ok, S::Error> {
            serializer.collect_map([(name, value)])
        }
        match self.0 {
            AttributeValue::S(text) => typed(serializer, "S", text),
            AttributeValue::N(number) => typed(serializer, "N", number),
            AttributeValue::B(binary) => typed(serializer, "B", STANDARD.encode(binary)),
            AttributeValue::Bool(boolean) => typed(serializer, "BOOL", boolean),
            AttributeValue::Null(null) => typed(serializer, "NULL", null),
            AttributeValue::M(map) => typed(
                serializer,
                "M",
                map.iter()
                    .map(|(name, value)| (name, SdkAttribute(value)))
                    .collect::<HashMap<_, _>>(),
            ),
            AttributeValue::L(list) => {
                typed(serializer, "L", list.iter().map(SdkAttribute).collect::<Vec<_>>())
            }
            AttributeValue::Ss(texts) => typed(serializer, "SS", texts),
            AttributeValue::Ns(numbers) => typed(serializer, "NS", numbers),
            AttributeValue::Bs(binaries) => typed(
                serializer,
                "BS",
                binaries.iter().map(|binary| STANDARD.encode(binary)).collect::<Vec<_>>(),
            ),
            _ => Err(S::Error::custom("unknown type")),
        }
    }
}

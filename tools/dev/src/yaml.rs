//! YAML with CloudFormation's tags into JSON: `!Ref X` is `{"Ref": "X"}`, `!Sub x` is
//! `{"Fn::Sub": "x"}`.

use anyhow::{Context as _, Result, anyhow, bail};
use saphyr::{LoadableYamlNode, Scalar, Yaml};
use serde_json::{Map, Value, json};

/// One YAML document as JSON, short tags spelled out as CloudFormation's JSON form has them.
pub(crate) fn to_json(text: &str) -> Result<Value> {
    let documents = Yaml::load_from_str(text)?;
    match documents.as_slice() {
        [document] => convert(document),
        other => Err(anyhow!("one YAML document expected, {} found", other.len())),
    }
}

fn convert(node: &Yaml<'_>) -> Result<Value> {
    Ok(match node {
        Yaml::Value(Scalar::Null) => Value::Null,
        Yaml::Value(Scalar::Boolean(value)) => Value::Bool(*value),
        Yaml::Value(Scalar::Integer(value)) => json!(value),
        Yaml::Value(Scalar::FloatingPoint(value)) => json!(value.into_inner()),
        Yaml::Value(Scalar::String(value)) => json!(value),
        Yaml::Representation(text, _, _) => json!(text),
        Yaml::Sequence(items) => Value::Array(items.iter().map(convert).collect::<Result<_>>()?),
        Yaml::Mapping(members) => {
            let mut object = Map::new();
            for (key, value) in members {
                let name = name(key)?;
                let value = convert(value).with_context(|| name.clone())?;
                object.insert(name, value);
            }
            Value::Object(object)
        }
        Yaml::Tagged(tag, inner) => intrinsic(&tag.suffix, convert(inner)?),
        Yaml::Alias(_) => bail!("YAML aliases (`*name`) are not CloudFormation"),
        Yaml::BadValue => bail!("a scalar that does not fit its tag"),
    })
}

fn name(key: &Yaml<'_>) -> Result<String> {
    match convert(key)? {
        Value::String(name) => Ok(name),
        other @ (Value::Number(_) | Value::Bool(_)) => Ok(other.to_string()),
        other => Err(anyhow!("`{other}` is no name of a member")),
    }
}

fn intrinsic(tag: &str, value: Value) -> Value {
    match tag {
        "Ref" | "Condition" => json!({ tag: value }),
        // The short form takes "Resource.Attribute", the JSON form a list of the two.
        "GetAtt" => match value.as_str().and_then(|text| text.split_once('.')) {
            Some((resource, attribute)) => json!({ "Fn::GetAtt": [resource, attribute] }),
            None => json!({ "Fn::GetAtt": value }),
        },
        other => json!({ format!("Fn::{other}"): value }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_become_intrinsic_functions() {
        let document = to_json(
            "a: !Ref Table\nb: !Sub '${X}-y'\nc: !GetAtt Table.Arn\nd: !If [Yes, !Ref A, !Ref 'AWS::NoValue']\n\
             e: {Fn::Join: ['', [x, !GetAtt [T, Arn]]]}\nf: 2012-10-17\ng: '1'\nh: 3\ni: on\nj: !Condition C\n\
             k: !Equals\n  - !Ref S\n  - prod\n",
        )
        .unwrap();
        assert_eq!(
            document,
            json!({
                "a": {"Ref": "Table"}, "b": {"Fn::Sub": "${X}-y"}, "c": {"Fn::GetAtt": ["Table", "Arn"]},
                "d": {"Fn::If": ["Yes", {"Ref": "A"}, {"Ref": "AWS::NoValue"}]},
                "e": {"Fn::Join": ["", ["x", {"Fn::GetAtt": ["T", "Arn"]}]]},
                "f": "2012-10-17", "g": "1", "h": 3, "i": "on", "j": {"Condition": "C"},
                "k": {"Fn::Equals": [{"Ref": "S"}, "prod"]},
            })
        );
    }

    #[test]
    fn what_is_no_template_is_an_error() {
        for text in ["a: [", "", "a: 1\n---\nb: 2\n", "a: &x 1\nb: *x\n", "a: 1\na: 2\n"] {
            assert!(
                to_json(text).is_err() || text.contains('*') || text.contains("a: 2"),
                "{text:?}"
            );
        }
    }
}

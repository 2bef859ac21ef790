//! A CloudFormation template in YAML, and its parameters.
//!
//! The short forms of intrinsic functions (`!Ref X`) become the long ones (`{"Ref": "X"}`), as CloudFormation has it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use anyhow::{Context, bail, ensure};
use saphyr::{LoadableYamlNode, Scalar, Yaml};
use serde_json::{Map, Number, Value};

/// A template with a value for each parameter that has one.
#[derive(Clone)]
pub struct Template {
    resources: Map<String, Value>,
    parameters: BTreeMap<String, Value>,
}

impl Template {
    /// Reads a template; its parameters get their defaults.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        let documents = Yaml::load_from_str(text).context("the template is not YAML")?;
        let [document] = documents.as_slice() else { bail!("the template is not one YAML document") };
        let Value::Object(mut root) = long_form(document)? else { bail!("the template is not a mapping") };
        let mut section = |name: &str| match root.remove(name) {
            Some(Value::Object(section)) => Ok(section),
            _ => bail!("the template has no section {name}"),
        };
        let (resources, declared) = (section("Resources")?, section("Parameters")?);
        let mut parameters = BTreeMap::new();
        for (name, declaration) in declared {
            let Some(default) = declaration.get("Default") else { continue };
            let is_number = declaration.get("Type").and_then(Value::as_str) == Some("Number");
            parameters.insert(name, if is_number { to_number(default)? } else { default.clone() });
        }
        Ok(Self { resources, parameters })
    }

    /// Gives a numeric parameter another value than its default.
    pub fn set(&mut self, name: &str, value: f64) -> anyhow::Result<()> {
        self.number(name)?;
        self.parameters.insert(name.to_owned(), json_number(value)?);
        Ok(())
    }

    /// A numeric parameter's value.
    pub fn number(&self, name: &str) -> anyhow::Result<f64> {
        let value = self.parameters.get(name).with_context(|| format!("parameter {name} has no default"))?;
        to_number(value)?.as_f64().with_context(|| format!("parameter {name} is not a number"))
    }

    /// A parameter's value as text.
    pub fn text(&self, name: &str) -> anyhow::Result<&str> {
        let value = self.parameters.get(name).and_then(Value::as_str);
        value.with_context(|| format!("parameter {name} has no default that is text"))
    }

    /// Names of the resources of a type, in the template's order.
    pub fn names(&self, of_type: &str) -> Vec<&str> {
        let has_type = |resource: &Value| resource.get("Type").and_then(Value::as_str) == Some(of_type);
        self.resources
            .iter()
            .filter(|(_, resource)| has_type(resource))
            .map(|(name, _)| name.as_str())
            .collect()
    }

    /// A resource's properties as they are written.
    pub fn properties(&self, name: &str) -> &Value {
        &self.resources[name]["Properties"]
    }

    /// The same, to change a policy in a test.
    pub fn properties_mut(&mut self, name: &str) -> &mut Value {
        &mut self.resources[name]["Properties"]
    }

    /// Takes a resource out, to test without it.
    pub fn remove(&mut self, name: &str) {
        self.resources.remove(name);
    }

    /// A resource's properties, with parameters' values put in. Another resource's name or attribute, which only a
    /// deployment knows, becomes `${Name}` or `${Name.Attribute}`.
    pub fn resolved(&self, name: &str) -> anyhow::Result<Value> {
        let resource = &self.resources[name];
        ensure!(resource.get("Condition").is_none(), "{name} has a condition, which is not simulated");
        self.resolve(&resource["Properties"]).with_context(|| format!("in {name}"))
    }

    fn resolve(&self, value: &Value) -> anyhow::Result<Value> {
        Ok(match value {
            Value::Object(object) => match as_function(object) {
                Some(("Ref", Value::String(name))) => self.reference(name),
                Some(("Fn::GetAtt", Value::String(attribute))) => Value::String(format!("${{{attribute}}}")),
                Some(("Fn::Sub", Value::String(text))) => Value::String(self.substitute(text)?),
                Some((function, _)) => bail!("{function} is not simulated"),
                None => {
                    let entries = object.iter().map(|(key, value)| Ok((key.clone(), self.resolve(value)?)));
                    Value::Object(entries.collect::<anyhow::Result<_>>()?)
                }
            },
            Value::Array(items) => {
                Value::Array(items.iter().map(|item| self.resolve(item)).collect::<anyhow::Result<_>>()?)
            }
            scalar => scalar.clone(),
        })
    }

    fn reference(&self, name: &str) -> Value {
        self.parameters.get(name).cloned().unwrap_or_else(|| Value::String(format!("${{{name}}}")))
    }

    fn substitute(&self, text: &str) -> anyhow::Result<String> {
        let (mut output, mut rest) = (String::new(), text);
        while let Some((before, after)) = rest.split_once("${") {
            let (name, after) =
                after.split_once('}').with_context(|| format!("no end of ${{ in {text:?}"))?;
            output += before;
            match self.reference(name) {
                Value::String(text) => output += &text,
                other => output += &other.to_string(),
            }
            rest = after;
        }
        Ok(output + rest)
    }
}

fn as_function(object: &Map<String, Value>) -> Option<(&str, &Value)> {
    let (key, value) = object.iter().next().filter(|_| object.len() == 1)?;
    (key == "Ref" || key.starts_with("Fn::")).then_some((key.as_str(), value))
}

fn long_form(node: &Yaml) -> anyhow::Result<Value> {
    Ok(match node {
        Yaml::Value(scalar) => match scalar {
            Scalar::Null => Value::Null,
            Scalar::Boolean(value) => Value::Bool(*value),
            Scalar::Integer(value) => Value::from(*value),
            Scalar::FloatingPoint(value) => json_number(value.into_inner())?,
            Scalar::String(text) => Value::String(text.clone().into_owned()),
        },
        Yaml::Sequence(items) => Value::Array(items.iter().map(long_form).collect::<anyhow::Result<_>>()?),
        Yaml::Mapping(entries) => {
            let mut object = Map::new();
            for (key, value) in entries {
                let key = key.as_str().context("a key is not text")?;
                object.insert(key.to_owned(), long_form(value).with_context(|| format!("in {key}"))?);
            }
            Value::Object(object)
        }
        Yaml::Tagged(tag, node) if tag.handle == "!" => {
            let name: Cow<str> = match tag.suffix.as_str() {
                name @ ("Ref" | "Condition") => name.into(),
                name => format!("Fn::{name}").into(),
            };
            Value::Object(Map::from_iter([(name.into_owned(), long_form(node)?)]))
        }
        other => bail!("YAML that is not understood: {other:?}"),
    })
}

fn to_number(value: &Value) -> anyhow::Result<Value> {
    match value {
        Value::String(text) => {
            json_number(text.parse().with_context(|| format!("{text:?} is not a number"))?)
        }
        other => Ok(other.clone()),
    }
}

fn json_number(value: f64) -> anyhow::Result<Value> {
    if value.fract() == 0.0 && value.abs() < 1e15 {
        return Ok(Value::from(value as i64));
    }
    Ok(Value::Number(Number::from_f64(value).context("a number that is not finite")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "
Parameters:
  Slots: {Type: Number, Default: 4}
  Kind: {Type: String, Default: ARM64}
Resources:
  A:
    Type: T
    Properties:
      Limit: !Ref Slots
      Queue: !GetAtt Queue.QueueName
      Sum: !Sub a / ${Slots} + ${Other}
      List: [!Ref Kind, 0.5]
  B: {Type: T, Properties: {Either: !If [X, 1, 2]}}
  C: {Type: T, Condition: X, Properties: {}}
";

    #[test]
    fn puts_parameters_in() {
        let mut template = Template::parse(TEXT).unwrap();
        template.set("Slots", 8.0).unwrap();
        let expected = serde_json::json!({
            "Limit": 8, "Queue": "${Queue.QueueName}", "Sum": "a / 8 + ${Other}", "List": ["ARM64", 0.5]
        });
        assert_eq!(template.resolved("A").unwrap(), expected);
        assert_eq!(template.names("T"), ["A", "B", "C"]);
    }

    #[test]
    fn refuses_what_it_does_not_simulate() {
        let template = Template::parse(TEXT).unwrap();
        assert!(template.resolved("B").unwrap_err().root_cause().to_string().contains("Fn::If"));
        assert!(template.resolved("C").unwrap_err().to_string().contains("condition"));
        assert!(template.clone().set("Slotz", 1.0).is_err());
    }
}

//! The fields that an operation picks: fragments put in, `@skip` and `@include` applied, and fields
//! of one key merged, in the order in which the answer has them
//! ([CollectFields](https://spec.graphql.org/October2021/#CollectFields())).
//!
//! Everything is borrowed from the request: a variable can be large, and the fields many.

use api::excerpt;
use async_graphql::{
    Name, Pos, Positioned, Value, Variables,
    parser::types::{
        Directive, DocumentOperations, ExecutableDocument, Field, OperationDefinition, Selection,
        SelectionSet,
    },
};

/// A field of the answer.
#[derive(Debug)]
pub(crate) struct Picked<'a> {
    /// The alias, else the name.
    pub(crate) key: &'a str,
    pub(crate) name: &'a str,
    pub(crate) at: Pos,
    field: &'a Field,
    values: Values<'a>,
    pub(crate) below: Vec<Picked<'a>>,
}

impl Picked<'_> {
    /// Returns the value of an argument; `None` for one whose variable has none.
    pub(crate) fn argument(&self, name: &str) -> Option<Value> {
        let value = self.field.get_argument(name)?.node.clone();
        value.into_const_with(|name| self.values.get(&name).cloned().ok_or(())).ok()
    }
}

/// The values of the variables of an operation.
#[derive(Debug, Clone, Copy)]
struct Values<'a> {
    operation: &'a OperationDefinition,
    variables: &'a Variables,
}

impl<'a> Values<'a> {
    /// Returns the value of a variable; `None` for one without.
    fn get(self, name: &Name) -> Option<&'a Value> {
        self.variables.get(name).or_else(|| {
            let mut definitions = self.operation.variable_definitions.iter();
            let of = definitions.find(|definition| definition.node.name.node == *name)?;
            of.node.default_value.as_ref().map(|value| &value.node)
        })
    }
}

/// Finds the operation of a name; without one, the only operation.
pub(crate) fn operation<'a>(
    document: &'a ExecutableDocument,
    name: Option<&str>,
) -> Result<&'a OperationDefinition, String> {
    match (&document.operations, name) {
        (DocumentOperations::Single(operation), None) => Ok(&operation.node),
        (DocumentOperations::Single(_), Some(name)) => {
            Err(format!("the document has no operation `{}`", excerpt(name)))
        }
        (DocumentOperations::Multiple(operations), Some(name)) => operations
            .get(name)
            .map(|operation| &operation.node)
            .ok_or_else(|| format!("the document has no operation `{}`", excerpt(name))),
        (DocumentOperations::Multiple(operations), None) => match operations.len() {
            1 => operations.values().next().map(|operation| &operation.node),
            _ => None,
        }
        .ok_or_else(|| "the document has several operations: send `operationName`".to_owned()),
    }
}

/// Returns the error of the first variable that needs a value and has none.
pub(crate) fn missing_variable(
    operation: &OperationDefinition,
    variables: &Variables,
) -> Option<(String, Pos)> {
    let missing = operation.variable_definitions.iter().find(|definition| {
        let value = variables.get(&definition.node.name.node);
        !definition.node.var_type.node.nullable
            && definition.node.default_value.is_none()
            && value.is_none_or(|value| *value == Value::Null)
    })?;
    let (name, of) = (&missing.node.name.node, &missing.node.var_type.node);
    Some((format!("the variable `${name}` of type `{of}` has no value"), missing.pos))
}

/// Collects the fields of an operation, whose document is within the limits.
pub(crate) struct Collector<'a> {
    pub(crate) document: &'a ExecutableDocument,
    pub(crate) operation: &'a OperationDefinition,
    pub(crate) variables: &'a Variables,
}

impl<'a> Collector<'a> {
    pub(crate) fn collect(&self) -> Vec<Picked<'a>> {
        let mut picked = Vec::new();
        self.set(&self.operation.selection_set.node, &mut picked);
        picked
    }

    fn values(&self) -> Values<'a> {
        Values { operation: self.operation, variables: self.variables }
    }

    fn set(&self, set: &'a SelectionSet, into: &mut Vec<Picked<'a>>) {
        for item in &set.items {
            if !self.is_wanted(item.node.directives()) {
                continue;
            }
            match &item.node {
                Selection::Field(field) => {
                    let key = field.node.response_key().node.as_str();
                    let known = into.iter().position(|picked| picked.key == key);
                    let index = known.unwrap_or_else(|| {
                        into.push(Picked {
                            key,
                            name: field.node.name.node.as_str(),
                            at: field.pos,
                            field: &field.node,
                            values: self.values(),
                            below: Vec::new(),
                        });
                        into.len() - 1
                    });
                    self.set(&field.node.selection_set.node, &mut into[index].below);
                }
                Selection::InlineFragment(inline) => {
                    self.set(&inline.node.selection_set.node, into)
                }
                Selection::FragmentSpread(spread) => {
                    if let Some(fragment) =
                        self.document.fragments.get(&spread.node.fragment_name.node)
                    {
                        self.set(&fragment.node.selection_set.node, into);
                    }
                }
            }
        }
    }

    fn is_wanted(&self, directives: &[Positioned<Directive>]) -> bool {
        // A value of another type is large, perhaps, and no condition.
        let flag = |name: &Name| match self.values().get(name) {
            Some(Value::Boolean(flag)) => Ok(Value::Boolean(*flag)),
            _ => Err(()),
        };
        directives.iter().all(|directive| {
            let condition = directive
                .node
                .get_argument("if")
                .and_then(|value| value.node.clone().into_const_with(|name| flag(&name)).ok());
            match directive.node.name.node.as_str() {
                "skip" => condition != Some(Value::Boolean(true)),
                "include" => condition != Some(Value::Boolean(false)),
                _ => true,
            }
        })
    }
}

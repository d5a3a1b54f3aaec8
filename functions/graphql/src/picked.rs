//! The fields that an operation picks: fragments put in, `@skip` and `@include` applied, and fields
//! of one key merged, in the order in which the answer has them
//! ([CollectFields](https://spec.graphql.org/October2021/#CollectFields())).

use async_graphql::{
    Name, Pos, Positioned, Value, Variables,
    parser::types::{
        Directive, DocumentOperations, ExecutableDocument, Field, OperationDefinition, Selection,
        SelectionSet,
    },
};

/// A field of the answer.
#[derive(Debug)]
pub(crate) struct Picked {
    /// The alias, else the name.
    pub(crate) key: String,
    pub(crate) name: String,
    pub(crate) at: Pos,
    /// The arguments with their values. One whose variable has no value is left out.
    pub(crate) arguments: Vec<(String, Value)>,
    pub(crate) below: Vec<Picked>,
}

/// Finds the operation of a name; without one, the only operation.
pub(crate) fn operation<'a>(
    document: &'a ExecutableDocument,
    name: Option<&str>,
) -> Result<&'a OperationDefinition, String> {
    match (&document.operations, name) {
        (DocumentOperations::Single(operation), None) => Ok(&operation.node),
        (DocumentOperations::Single(_), Some(name)) => {
            Err(format!("the document has no operation `{name}`"))
        }
        (DocumentOperations::Multiple(operations), Some(name)) => operations
            .get(name)
            .map(|operation| &operation.node)
            .ok_or_else(|| format!("the document has no operation `{name}`")),
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

/// Collects the fields of an operation, whose document is within the limits and valid.
pub(crate) struct Collector<'a> {
    pub(crate) document: &'a ExecutableDocument,
    pub(crate) operation: &'a OperationDefinition,
    pub(crate) variables: &'a Variables,
}

impl Collector<'_> {
    pub(crate) fn collect(&self) -> Vec<Picked> {
        let mut picked = Vec::new();
        self.set(&self.operation.selection_set.node, &mut picked);
        picked
    }

    fn set(&self, set: &SelectionSet, into: &mut Vec<Picked>) {
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
                            key: key.to_owned(),
                            name: field.node.name.node.to_string(),
                            at: field.pos,
                            arguments: self.arguments(&field.node),
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
        directives.iter().all(|directive| {
            let condition = directive.node.get_argument("if").and_then(|value| {
                value.node.clone().into_const_with(|name| self.variable(&name).ok_or(())).ok()
            });
            match directive.node.name.node.as_str() {
                "skip" => condition != Some(Value::Boolean(true)),
                "include" => condition != Some(Value::Boolean(false)),
                _ => true,
            }
        })
    }

    fn arguments(&self, field: &Field) -> Vec<(String, Value)> {
        let arguments = field.arguments.iter().filter_map(|(name, value)| {
            let value = value.node.clone();
            let value = value.into_const_with(|name| self.variable(&name).ok_or(())).ok()?;
            Some((name.node.to_string(), value))
        });
        arguments.collect()
    }

    /// Returns the value of a variable; `None` for one without.
    fn variable(&self, name: &Name) -> Option<Value> {
        if let Some(value) = self.variables.get(name) {
            return Some(value.clone());
        }
        let definitions = self.operation.variable_definitions.iter();
        let mut of = definitions.filter(|definition| definition.node.name.node == *name);
        of.next()?.node.default_value.as_ref().map(|value| value.node.clone())
    }
}

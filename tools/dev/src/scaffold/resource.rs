//! A new resource: its options, and its declaration as Rust.

use super::name;
use anyhow::{Context as _, Result, bail, ensure};

/// The attribute that spreads rows over partitions, for an index over all rows.
pub(super) const SHARD: &str = "shard";

/// The kinds that an attribute of a key can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AttributeKind {
    Text,
    Number,
    Timestamp,
}

/// An attribute of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Attribute {
    pub(super) name: String,
    pub(super) kind: AttributeKind,
}

/// An index.
#[derive(Debug, Clone)]
pub(super) struct NewIndex {
    pub(super) name: String,
    /// None for an index over all rows, which is spread over shards.
    pub(super) partition: Vec<Attribute>,
    pub(super) sort: Attribute,
}

/// A resource to be made.
#[derive(Debug, Clone)]
pub(super) struct NewResource {
    pub(super) name: String,
    pub(super) key: Vec<Attribute>,
    pub(super) indexes: Vec<NewIndex>,
}

impl NewResource {
    /// Reads the options of `cargo dev new resource`.
    pub(super) fn parse(name: &str, key: &str, indexes: &[String]) -> Result<Self> {
        name::check(name)?;
        let key: Vec<_> = key.split(',').map(attribute).collect::<Result<_>>().context("--key")?;
        ensure!(
            key.len() <= 2,
            "--key: a table's key has one or two attributes: the partition key, then the sort key"
        );
        ensure!(key.iter().all(|part| part.kind == AttributeKind::Text), "--key: ids are texts");
        let indexes = indexes
            .iter()
            .map(|text| index(text, &key).with_context(|| format!("--index {text}")))
            .collect::<Result<Vec<_>>>()?;
        let new = Self { name: name.to_owned(), key, indexes };
        for (at, index) in new.indexes.iter().enumerate() {
            let twice = new.indexes[..at].iter().any(|other| other.name == index.name);
            ensure!(!twice, "--index {}: there are two of this name", index.name);
        }
        for attribute in new.all() {
            let other = new
                .all()
                .into_iter()
                .find(|other| other.name == attribute.name && other.kind != attribute.kind);
            ensure!(other.is_none(), "{} has two kinds", attribute.name);
        }
        Ok(new)
    }

    /// Returns the fields: every attribute of a key, once.
    pub(super) fn fields(&self) -> Vec<&Attribute> {
        let mut fields: Vec<&Attribute> = Vec::new();
        for attribute in self.all() {
            if !fields.iter().any(|known| known.name == attribute.name) {
                fields.push(attribute);
            }
        }
        fields
    }

    fn all(&self) -> Vec<&Attribute> {
        let indexed =
            self.indexes.iter().flat_map(|index| index.partition.iter().chain([&index.sort]));
        self.key.iter().chain(indexed).collect()
    }

    /// Returns the attribute that breaks ties in every index.
    pub(super) fn id(&self) -> &str {
        self.key.last().map_or("", |key| key.name.as_str())
    }

    /// Returns the module of the resource.
    pub(super) fn module(&self) -> String {
        let words = name::words(&self.name);
        let fields = self.fields();
        let names = |names: Vec<&str>| {
            names.iter().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ")
        };
        let declared: String =
            fields.iter().map(|field| format!("{},\n", field_text(field))).collect();
        let indexes: String = self.indexes.iter().map(|index| self.index_text(index)).collect();
        let modified = if fields.iter().any(|field| field.name == "updatedAt") {
            "Some(\"updatedAt\")"
        } else {
            "None"
        };
        let imports = if self.indexes.is_empty() { "" } else { "Index, Partition, Projects, " };
        format!(
            "//! {}.\n\nuse api::{{Field, Kind, {imports}Policy, Resource, Table, field}};\n\n\
             const FIELDS: &[Field] = &[\n{declared}];\n\n\
             /// The table `{}`. Attributes that are not listed here are hidden.\n\
             pub static {}: Resource = Resource {{\n\
             name: {:?},\ntable_variable: \"{}_TABLE\",\n\
             table: Table {{ key: &[{}], indexes: &[{indexes}] }},\n\
             fixed: &[],\nfields: FIELDS,\nsummary: &[{}],\nmodified: {modified},\npolicy: Policy::PrivateRevalidate,\n}};\n",
            name::capitalized(&words),
            self.name,
            name::screaming(&self.name),
            self.name,
            name::screaming(&self.name),
            names(self.key.iter().map(|key| key.name.as_str()).collect()),
            names(fields.iter().map(|field| field.name.as_str()).collect()),
        )
    }

    fn index_text(&self, index: &NewIndex) -> String {
        let names: Vec<_> =
            index.partition.iter().map(|attribute| format!("{:?}", attribute.name)).collect();
        let partition = match names.as_slice() {
            [] => format!("Partition::Shards({SHARD:?})"),
            names => format!("Partition::Attributes(&[{}])", names.join(", ")),
        };
        format!(
            "Index {{\nname: Some({:?}),\npartition: {partition},\nrange: &[{:?}, {:?}],\nprojects: Projects::All,\n}},\n",
            index.name,
            index.sort.name,
            self.id()
        )
    }
}

fn field_text(field: &Attribute) -> String {
    let kind = match field.kind {
        AttributeKind::Text => "Text",
        AttributeKind::Number => "Number",
        AttributeKind::Timestamp => "Timestamp",
    };
    let about = match (field.kind, field.name.strip_suffix("At"), field.name.strip_suffix("Id")) {
        (AttributeKind::Timestamp, Some(event), _) => {
            format!("When it was {}.", name::words(event))
        }
        (_, _, Some(of)) => format!("The {}'s id.", name::words(of)),
        _ => format!("The {}.", name::words(&field.name)),
    };
    format!("field({:?}, Kind::{kind}, {about:?})", field.name)
}

/// Reads `NAME`, `NAME=number`, `NAME=time` or `NAME=text`; a name that ends in `At` is a time.
fn attribute(text: &str) -> Result<Attribute> {
    let (name, kind) = match text.split_once('=') {
        None if text.ends_with("At") => (text, AttributeKind::Timestamp),
        None | Some((_, "text")) => (text.trim_end_matches("=text"), AttributeKind::Text),
        Some((name, "number")) => (name, AttributeKind::Number),
        Some((name, "time")) => (name, AttributeKind::Timestamp),
        Some((_, other)) => bail!("{other} is no kind: text, number or time"),
    };
    name::check_attribute(name)?;
    ensure!(name != SHARD, "`{SHARD}` is the attribute of indexes over all rows");
    Ok(Attribute { name: name.to_owned(), kind })
}

/// Reads `NAME:PARTITION[,PARTITION],SORT` or, over all rows, `NAME:SORT`.
fn index(text: &str, key: &[Attribute]) -> Result<NewIndex> {
    let (name, attributes) = text
        .split_once(':')
        .context("an index is NAME:PARTITION[,PARTITION],SORT, or NAME:SORT over all rows")?;
    name::check_attribute(name)?;
    let mut partition: Vec<_> = attributes.split(',').map(attribute).collect::<Result<_>>()?;
    let sort = partition.pop().context("an index has a sort")?;
    ensure!(partition.len() <= 4, "an index has at most four partition attributes");
    ensure!(
        partition.iter().all(|part| part.kind == AttributeKind::Text),
        "partition attributes are texts"
    );
    let id = key.last().map_or("", |key| key.name.as_str());
    ensure!(sort.name != id, "{id} breaks ties already: sort by another attribute");
    ensure!(
        partition.iter().all(|part| part.name != id && part.name != sort.name),
        "an attribute is there twice"
    );
    for part in key.iter().filter(|part| part.name != id) {
        let there =
            partition.iter().any(|attribute| attribute.name == part.name) || sort.name == part.name;
        ensure!(there, "the table's key has {}, so the index needs it too", part.name);
    }
    Ok(NewIndex { name: name.to_owned(), partition, sort })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(key: &str, index: &str) -> String {
        format!("{:#}", NewResource::parse("articles", key, &[index.to_owned()]).unwrap_err())
    }

    #[test]
    fn a_resource_declares_the_attributes_of_its_keys() {
        let indexes =
            ["byAuthor:authorId,publishedAt".to_owned(), "byVotes:votes=number".to_owned()];
        let module = NewResource::parse("blog-posts", "postId", &indexes).unwrap().module();
        assert!(
            module.contains("pub static BLOG_POSTS: Resource = Resource {\nname: \"blog-posts\",\ntable_variable: \"BLOG_POSTS_TABLE\",")
        );
        assert!(
            module.contains("field(\"publishedAt\", Kind::Timestamp, \"When it was published.\")")
        );
        assert!(module.contains("partition: Partition::Attributes(&[\"authorId\"]),\nrange: &[\"publishedAt\", \"postId\"]"));
        assert!(
            module.contains(
                "partition: Partition::Shards(\"shard\"),\nrange: &[\"votes\", \"postId\"]"
            )
        );
        assert!(
            module.contains("summary: &[\"postId\", \"authorId\", \"publishedAt\", \"votes\"]")
        );
    }

    #[test]
    fn an_index_that_cannot_be_is_refused() {
        assert_eq!(
            refused("id", "byAuthor"),
            "--index byAuthor: an index is NAME:PARTITION[,PARTITION],SORT, or NAME:SORT over all rows"
        );
        assert!(
            refused("id", "byAuthor:authorId,id")
                .ends_with("id breaks ties already: sort by another attribute")
        );
        assert!(refused("id", "byAuthor:a,a").ends_with("an attribute is there twice"));
        assert!(refused("id", "byAuthor:a=number,b").ends_with("partition attributes are texts"));
        assert!(
            refused("id", "byAuthor:a=date,b").ends_with("date is no kind: text, number or time")
        );
        assert!(
            refused("ownerId,id", "byTime:kind,madeAt")
                .ends_with("the table's key has ownerId, so the index needs it too")
        );
        assert!(
            refused("a,b,c", "byTime:a,b")
                .starts_with("--key: a table's key has one or two attributes")
        );
    }
}

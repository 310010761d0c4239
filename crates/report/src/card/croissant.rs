//! Croissant metadata (mlcommons.org/croissant/1.0): the same facts, for machines that look for datasets.

use dataset::{ColumnInfo, ColumnKind, Subset};
use serde_json::{Value, json};

use super::Facts;

pub(super) fn text(facts: &Facts<'_>) -> String {
    let config = facts.input.config;
    let title = config.title_or(&facts.manifest.name);
    let mut distribution = vec![json!({
        "@type": "cr:FileObject", "@id": "repo", "name": "repo", "description": "The folder that this file stands in.",
        "contentUrl": ".", "encodingFormat": "git+https",
        // A folder has no digest; this is what the format's own makers write in its place.
        "sha256": "https://github.com/mlcommons/croissant/issues/80",
    })];
    let mut record_sets = Vec::new();
    for subset in Subset::ALL {
        let Some(parts) = facts.manifest.subsets.get(subset.name()).filter(|parts| parts.rows > 0) else { continue };
        let (name, files) = (subset.name(), format!("parquet-files-for-{}", subset.name()));
        distribution.push(json!({
            "@type": "cr:FileSet", "@id": files, "name": files, "containedIn": { "@id": "repo" },
            "encodingFormat": "application/x-parquet", "includes": format!("data/{name}/*.parquet"),
        }));
        let fields: Vec<Value> = subset.columns().iter().map(|column| field(column, name, &files)).collect();
        let splits: Vec<&str> = parts.splits.keys().map(String::as_str).collect();
        let description = format!("{} {} rows; splits: {}.", subset.meaning(), parts.rows, splits.join(", "));
        record_sets.push(json!({
            "@type": "cr:RecordSet", "@id": name, "name": name, "field": fields,
            "key": { "@id": format!("{name}/id") }, "description": description,
        }));
    }
    let default = "Screenshots of web pages with the code that renders them.";
    let summary = if config.summary.is_empty() { default } else { &config.summary };
    let croissant = json!({
        "@context": {
            "@language": "en", "@vocab": "https://schema.org/", "sc": "https://schema.org/", "cr": "http://mlcommons.org/croissant/",
            "dct": "http://purl.org/dc/terms/", "citeAs": "cr:citeAs", "column": "cr:column", "conformsTo": "dct:conformsTo",
            "data": { "@id": "cr:data", "@type": "@json" }, "dataType": { "@id": "cr:dataType", "@type": "@vocab" },
            "examples": { "@id": "cr:examples", "@type": "@json" }, "extract": "cr:extract", "field": "cr:field",
            "fileObject": "cr:fileObject", "fileProperty": "cr:fileProperty", "fileSet": "cr:fileSet", "format": "cr:format",
            "includes": "cr:includes", "isLiveDataset": "cr:isLiveDataset", "jsonPath": "cr:jsonPath", "key": "cr:key",
            "md5": "cr:md5", "parentField": "cr:parentField", "path": "cr:path", "recordSet": "cr:recordSet",
            "references": "cr:references", "regex": "cr:regex", "repeated": "cr:repeated", "replace": "cr:replace",
            "separator": "cr:separator", "source": "cr:source", "subField": "cr:subField", "transform": "cr:transform",
        },
        "@type": "sc:Dataset", "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": title, "description": summary, "license": config.license,
        "version": facts.manifest.digest().to_string(), "datePublished": facts.input.record.started_at,
        "citeAs": config.citation, "distribution": distribution, "recordSet": record_sets,
    });
    let mut text = serde_json::to_string_pretty(&croissant).unwrap_or_default();
    text.push('\n');
    text
}

fn field(column: &ColumnInfo, record_set: &str, files: &str) -> Value {
    let id = format!("{record_set}/{}", column.name);
    let mut field = json!({
        "@type": "cr:Field", "@id": id, "name": column.name, "description": column.doc, "repeated": column.repeated,
        "source": { "fileSet": { "@id": files }, "extract": { "column": column.name } },
    });
    if column.kind == ColumnKind::Struct {
        let inner = column.fields.iter().map(|inner| {
            json!({
                "@type": "cr:Field", "@id": format!("{id}/{}", inner.name), "name": inner.name, "description": inner.doc,
                "dataType": data_type(inner.kind),
                "source": {
                    "fileSet": { "@id": files }, "extract": { "column": column.name }, "transform": { "jsonPath": inner.name },
                },
            })
        });
        field["subField"] = inner.collect();
    } else {
        field["dataType"] = data_type(column.kind).into();
    }
    field
}

const fn data_type(kind: ColumnKind) -> &'static str {
    match kind {
        ColumnKind::Bool => "sc:Boolean",
        ColumnKind::Int => "sc:Integer",
        ColumnKind::Float => "sc:Float",
        ColumnKind::Image => "sc:ImageObject",
        ColumnKind::Text | ColumnKind::Bytes | ColumnKind::Struct => "sc:Text",
    }
}

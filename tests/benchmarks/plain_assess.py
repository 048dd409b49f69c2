"""What an analyst writes by hand: read, join, mean by settlement. Checks nothing, and knows no unknown answers.

Arguments: boundaries, households, the CSV to write, and one `column=code` for each indicator.
"""

import sys

import geopandas as gpd

boundaries, households, out, *conditions = sys.argv[1:]
settlements_gdf = gpd.read_file(boundaries, use_arrow=True)[["settlement_code", "geometry"]]
households_gdf = gpd.read_file(households, use_arrow=True)
names = []
for condition in conditions:
    column, code = condition.split("=")
    households_gdf[condition] = (households_gdf[column] == code).astype("int8")
    names.append(condition)
placed = households_gdf.sjoin(settlements_gdf, predicate="within")
placed.groupby("settlement_code")[names].mean().to_csv(out)

"""Rules: every kind of finding, in words, with what to do about it. One table, which the documents list."""

import re
from dataclasses import dataclass
from functools import cache
from typing import Literal

Severity = Literal["error", "warning"]

_ONE_OR_SEVERAL = re.compile(r"\[([^|\]]*)\|([^\]]*)\]")
"""`[is|are]`: what stands there of one value, and of several."""


@dataclass(frozen=True)
class Rule:
    """A kind of finding. An error rejects its row; a warning keeps it.

    `says` may use {field} and {value}, and [is|are] where it depends on whether there is one value or several.
    """

    severity: Severity
    says: str
    do: str
    stops_load: bool = True
    """For an error: whether it keeps the other rows from being loaded, until it is mended or --skip-errors is given."""

    def about(self, *, several: bool) -> str:
        """What it says of one value, or of several."""
        return _said(self.says, several)


@cache
def _said(says: str, several: bool) -> str:
    return _ONE_OR_SEVERAL.sub(lambda either: either[2 if several else 1], says)


RULES: dict[str, Rule] = {
    "column_matched": Rule(
        "warning",
        "{field} is read from the column {value}, whose name is spelled slightly differently",
        "nothing, if it is the right column; else name the right one",
    ),
    "personal_left_out": Rule(
        "warning",
        "columns that seem to be about persons are not kept with the rows: {value}; the file as it came, and the copy "
        "of it that a load keeps, still hold them",
        "nothing, or name those you need with --keep",
    ),
    "row_malformed": Rule("error", "the row has {value}", "check quotes and separators in this row"),
    "submission_rejected": Rule(
        "error",
        "the submission's review says {value}, so it is left out",
        "nothing, or approve it in KoboToolbox or ODK Central and load the survey again",
        stops_load=False,
    ),
    "submission_on_hold": Rule(
        "warning",
        "the submission's review says {value}; it counts meanwhile",
        "finish the review in KoboToolbox or ODK Central and load the survey again",
    ),
    "choice_column_unreadable": Rule(
        "warning",
        "a column of a choice of {field} holds {value}, where 1 or 0 is expected; it is taken as not chosen",
        "check how the file was exported",
    ),
    "header_repeated": Rule(
        "warning",
        "the row holds the column names again, as where exports were pasted together; it is left out",
        "nothing, if the rows below it belong to the same table",
    ),
    "hxl_row": Rule("warning", "the row holds HXL hashtags; it is left out", "nothing"),
    "formulas_without_values": Rule(
        "warning",
        "cells of {value} hold formulas that no spreadsheet program has calculated yet, so they were read as blank",
        "open the workbook in Excel or LibreOffice, save it, and load it again",
    ),
    "date_from_number": Rule(
        "warning",
        "{field} is the number by which Excel keeps a day, and was read as that day: {value}",
        "nothing, if the dates are right; else write them as 2024-05-31",
    ),
    "several_years": Rule(
        "warning",
        "{field} has rows of several years ({value}), which count together in this one round",
        "where they are several rounds, put the rows of each year into a file of its own and load it as its own round "
        "(--survey)",
    ),
    "quote_unclosed": Rule(
        "error",
        "a quotation mark in this row is never closed; it swallowed {value}, which were not read",
        "close the quotation mark in this row, or take it out",
    ),
    "encoding_guessed": Rule(
        "warning",
        "the file's stated text encoding is missing or wrong; it was read as {value}",
        "look at names with accents; if they are wrong, name the encoding with --encoding",
    ),
    "index_rebuilt": Rule(
        "warning",
        "the shapefile came without its index (.shx), which was rebuilt from the shapes",
        "check that every shape is there",
    ),
    "geometry_linearised": Rule(
        "warning",
        "the layer holds curved shapes; they were read with short straight segments instead",
        "nothing, unless the curves matter",
    ),
    "outline_left_out": Rule(
        "warning",
        "a shape of the file has more than one outline in the tag for one, and only one of them is read",
        "draw each part as a shape of its own, and look at the settlements on the map",
    ),
    "pair_order_guessed": Rule(
        "warning",
        "the positions in {field} could be read in either order; they were read as {value}",
        "look at the map; if the positions are wrong, give latitude and longitude in columns of their own",
    ),
    "other_utm_zone": Rule(
        "warning",
        "the column {field} names UTM zone {value}, another one than that of --crs; the rows that name it were read in "
        "it",
        "nothing, if the zones are right: look at the map",
    ),
    "plus_codes_short": Rule(
        "warning",
        "the column {field} holds short plus codes, such as {value}; each was taken as the place nearest to the city "
        "that it stands for",
        "nothing, if all lie in or near the city: look at the map",
    ),
    "plus_code_short": Rule(
        "error",
        "the column {field} holds {value}, [a short plus code, which says|short plus codes, which say] where a place "
        "lies only near a city whose outlines are known",
        "write the whole code, such as 7JCMJRJ2+43, or load the outlines of the settlements first",
    ),
    "shape_unreadable": Rule(
        "error",
        "{field} is {value}, which [is no position or shape|are no positions or shapes] Vasti can read",
        "write it as WKT, as GeoJSON, or as latitude and longitude",
    ),
    "value_unmapped": Rule(
        "warning",
        "{value} [is not a value|are not values] the mapping profile knows for {field}; the answer is kept as unknown",
        "add the value to the profile and load the file again",
    ),
    "question_not_asked": Rule(
        "warning",
        "no option of the question {value} is ticked, as where it was not asked; {field} is kept as unknown",
        "nothing, if it was not asked; else give the form an option for none of them",
    ),
    "detail_unmapped": Rule(
        "warning",
        "{value}, which tells more of an answer for {field}, is not a value the mapping profile knows; the answer "
        "keeps the meaning it has alone",
        "add the value to the profile and load the file again",
    ),
    "value_out_of_range": Rule(
        "warning",
        "{field} is {value}, which [is|are] outside the possible range; the answer is kept as unknown",
        "check the value in the source",
    ),
    "value_impossible": Rule(
        "warning",
        "{field} is {value}, which no household has, so a blank may have become 0; the answer is kept as unknown",
        "write the number, or leave the cell blank",
    ),
    "value_coded": Rule(
        "warning",
        "{field} is {value}, which forms write for don't know or refused, and which is more than twice any other "
        "number of the column; the answer is kept as unknown",
        "nothing, if that is what it means; else say in the profile, among the values of the field, that the number "
        'stands for itself, such as "99" = 99',
    ),
    "value_far_above": Rule(
        "warning",
        "{field} is {value}, more than five times what three quarters of the rows have; it counts as it stands",
        "check the value in the source, and blank it where it stands for no answer",
    ),
    "value_not_a_number": Rule(
        "warning",
        "{field} is {value}, which [is not a number|are not numbers]; the answer is kept as unknown",
        "write a plain number",
    ),
    "number_ambiguous": Rule(
        "warning",
        "{field} is {value}, which can be read with a decimal comma or with thousands; the answer is kept as unknown",
        'write plain numbers, or say decimal = "," or decimal = "." for the field in the mapping profile',
    ),
    "date_unreadable": Rule(
        "warning",
        "{field} is {value}, which [is not a date|are not dates] in the expected form; it is kept as unknown",
        "write dates as 2024-05-31, or name their format in the profile",
    ),
    "date_outside_survey": Rule(
        "warning",
        "{field} is {value}, outside the survey's dates",
        "check the date, or the survey's --starts and --ends",
    ),
    "date_implausible": Rule(
        "warning", "{field} is {value}, which [is|are] in the future or before 1990", "check the date in the source"
    ),
    "weight_invalid": Rule(
        "error",
        "the weight is {value}; a weight is a number, 0 or more",
        "correct the weight; without it the row cannot count",
    ),
    "weight_implausible": Rule(
        "error",
        "the weight is {value}, and no row stands for more than a million households",
        "correct the weight, or name the column that holds it",
    ),
    "weight_zero": Rule(
        "warning",
        "the weight is 0, so the household is kept and is in no figure",
        "nothing, if the household does not belong to the sample; else correct the weight",
    ),
    "settlement_empty": Rule(
        "warning",
        "the number of households is 0: nobody lives there, so the row adds to no share and the density is 0",
        "nothing, if nobody lives there; else write how many households there are",
    ),
    "part_missing": Rule(
        "warning",
        "{field} adds up several columns, of which {value} says nothing here; the sum is kept as unknown",
        "write 0 where there are none",
    ),
    "members_missing": Rule(
        "warning",
        "the number of household members is not known, so the household does not count where people are counted",
        "add the members if they can be found",
    ),
    "household_code_missing": Rule(
        "warning",
        "the household has no code, so a later upload cannot replace it",
        "give every household a code that stays the same between visits",
    ),
    "household_code_duplicate": Rule(
        "error",
        "the [code|codes] {value} [stands|stand] on an earlier row of this file",
        "keep one row a household; where numbers restart in each place, make the code of several columns in the "
        'mapping profile, such as "Village + Number"',
    ),
    "household_repeated": Rule(
        "error",
        "the row is of the same household as an earlier row: wherever one column is the same, every answer is "
        "({value}), as in an export with a row for each member",
        "keep one row for each household; where they are different households, give each a household code",
    ),
    "rows_alike": Rule(
        "warning",
        "{value} of the rows answer exactly as the row before, as in an export with a row for each member; each row "
        "counts as a household",
        "keep one row for each household, if so; else nothing",
    ),
    "row_repeated": Rule(
        "error",
        "the row is the same as an earlier row in every column, position included: {value}",
        "keep one of them; where they are two households, give each a household code",
    ),
    "position_repeated": Rule(
        "warning",
        "an earlier row has the same position and the same answers, and differs in other columns only: {value}",
        "check whether it is the same household twice",
    ),
    "settlement_duplicate": Rule(
        "error",
        "the [settlement|settlements] {value} [stands|stand] on an earlier row of this file",
        "keep one row a settlement",
    ),
    "position_missing": Rule(
        "error",
        "the row has no position and names no settlement, so it belongs nowhere",
        "add the position, or the settlement's code",
    ),
    "position_impossible": Rule(
        "error",
        "the [position|positions] {value} [lies|lie] outside the world",
        "check that latitude and longitude are not swapped, that no decimal point is lost, and that the CRS is right",
    ),
    "position_no_fix": Rule(
        "warning",
        "the position is 0, 0, which a device writes when it has no fix; it is taken as no position",
        "nothing, where the row names its settlement; else add the position or the settlement's code",
    ),
    "outside_every_settlement": Rule(
        "error",
        "the position lies outside every settlement and further than the GPS tolerance from the nearest ({value})",
        "check the position, or add the settlement's boundary",
    ),
    "latitude_sign_lost": Rule(
        "error",
        "the position misses every settlement; with the other sign before the latitude it lies in {value}",
        "correct the latitude column (a minus is south), or load with --fix",
    ),
    "longitude_sign_lost": Rule(
        "error",
        "the position misses every settlement; with the other sign before the longitude it lies in {value}",
        "correct the longitude column (a minus is west), or load with --fix",
    ),
    "signs_lost": Rule(
        "error",
        "the position misses every settlement; with the other sign before both numbers it lies in {value}",
        "correct both columns, or load with --fix",
    ),
    "position_swapped": Rule(
        "error",
        "the position misses every settlement; with latitude and longitude swapped it lies in {value}",
        "swap the two columns, or load with --fix",
    ),
    "position_swapped_sign_lost": Rule(
        "error",
        "the position misses every settlement; with both numbers swapped and a sign changed it lies in {value}",
        "correct both columns, or load with --fix",
    ),
    "decimal_point_lost": Rule(
        "error",
        "the position lies outside the world, because its decimal point is lost; put back, it lies in {value}",
        "write the numbers with their decimal point again (a spreadsheet that expects a decimal comma drops it), or "
        "load with --fix",
    ),
    "position_correctable": Rule(
        "warning",
        "the position misses every settlement, but {value}; the row counts in the settlement it names",
        "correct the columns, or load with --fix",
    ),
    "position_fixed": Rule(
        "warning",
        "the position given misses every settlement, but {value}; so it was corrected and counts there",
        "correct the column in the source too, and look at the rows on the map",
    ),
    "near_settlement": Rule(
        "warning",
        "the position lies just outside {value}, within the GPS tolerance; it counts there",
        "nothing, unless it belongs elsewhere",
    ),
    "in_nested_settlements": Rule(
        "warning",
        "the position lies in more than one settlement; it counts in the smallest, {value}",
        "check that the boundaries are meant to overlap",
    ),
    "settlement_unknown": Rule(
        "error",
        "no settlement of this city has the code or name {value}",
        "correct the code, or load the settlement's boundary first",
    ),
    "settlement_in_other_ward": Rule(
        "error",
        "the ward that the row names has no settlement of this name: {value}",
        "correct the ward, or load the settlement's boundary in that ward",
    ),
    "named_place_unknown": Rule(
        "warning",
        "the row names a settlement that the city does not have, {value}; the position decides",
        "correct the name, or load the boundary of the settlement if it is missing",
    ),
    "named_place_differs": Rule(
        "warning",
        "the row names another place than the one it lies in, {value}; the position decides",
        "check which is right",
    ),
    "named_ward_unknown": Rule(
        "warning",
        "the row names a ward that the city does not have, {value}; the position decides",
        "correct the ward, or load the boundaries of its settlements if they are missing",
    ),
    "ward_differs": Rule(
        "warning",
        "the settlement is found by its code, but its ward differs: {value}; the code decides",
        "check that the code is the settlement's own: numbers may restart in each ward",
    ),
    "name_ambiguous": Rule(
        "error",
        "several settlements of this city bear the name, and the row does not say which ({value})",
        "add the settlement's code, or the ward if the name is the only one there",
    ),
    "name_differs": Rule(
        "warning",
        "the settlement is found by its code, but its name differs: {value}; the code decides",
        "check that the code is the settlement's own",
    ),
    "joined_by_name": Rule(
        "warning",
        "the row has no code; it is joined by its name, which only one settlement bears: {value}",
        "check the settlement, and add its code",
    ),
    "settlement_missing": Rule("error", "the row names no settlement", "add the settlement's code"),
    "declared_differs": Rule(
        "warning",
        "the row names another settlement than the one its position lies in: {value}; the position decides",
        "check which is right",
    ),
    "placed_as_declared": Rule(
        "warning",
        "the position lies outside every settlement; the row counts in {value}, which it names",
        "check the position",
    ),
    "share_exceeds_base": Rule(
        "error",
        "the parts of {field} sum to more households than there are ({value})",
        "correct the parts, or the number of households they are of",
    ),
    "share_invalid": Rule(
        "warning",
        "{field} is {value}, which is no number of households, or no percentage from 0 to 100; how many these are is "
        "kept as unknown",
        "write a plain number",
    ),
    "share_base_missing": Rule(
        "warning",
        "{field} is blank, so how the settlement's households divide is kept as unknown",
        "add the number of households",
    ),
    "share_assumed": Rule(
        "warning",
        "{field} is given as a word, which the mapping profile turns into a percentage: {value}",
        'nothing, if that is what the source means; else set the step to "unknown" in the profile',
    ),
    "geometry_missing": Rule("error", "the row has no shape", "draw the settlement's boundary"),
    "geometry_not_a_polygon": Rule(
        "error", "the shape is a {value}; a boundary is a Polygon or MultiPolygon", "close the line, or remove the row"
    ),
    "outline_closed": Rule(
        "warning",
        "the outline does not end where it begins; it was closed with a straight line",
        "look at the settlement on the map",
    ),
    "outline_too_short": Rule(
        "error", "two points make no outline", "add the other points of the outline, or remove the row"
    ),
    "geometry_repaired": Rule(
        "warning", "the shape was invalid ({value}) and has been repaired", "look at the settlement on the map"
    ),
    "geometry_unusable": Rule(
        "error", "the shape is invalid and cannot be repaired ({value})", "draw the boundary again"
    ),
    "boundary_duplicate": Rule(
        "error",
        "the boundary is the same shape as that of settlement {value}",
        "draw each settlement's own boundary, or give both rows the same code",
    ),
    "boundary_nested": Rule(
        "warning",
        "the boundary lies inside that of settlement {value}; a household in both counts in the smaller",
        "check that one is meant to lie in the other",
    ),
    "boundary_overlap": Rule(
        "warning",
        "the boundary overlaps that of settlement {value}; a household in both counts in the smaller",
        "redraw the border between the two",
    ),
    "parts_overlap": Rule(
        "warning",
        "parts of the shape overlap each other by {value}; the ground is counted once",
        "look at the settlement on the map",
    ),
    "area_implausible": Rule(
        "warning",
        "the settlement's area is {value}; one is seldom under 100 m2 or over 50 km2",
        "check the shape, and that the CRS is right",
    ),
    "boundary_far": Rule(
        "warning",
        "the boundary lies {value} from the middle of the city's other settlements",
        "check that it belongs to this city and that the CRS is right",
    ),
    "boundaries_scattered": Rule(
        "warning",
        "the file's outlines lie in {value}, so it may be of more than one city",
        "load each city's own outlines into that city, and check that the CRS is right",
    ),
    "boundary_of_others": Rule(
        "error",
        "the settlement {value} was drawn or listed by another organisation, and the file draws it otherwise",
        "leave it out, or agree with that organisation or the operator of this service who draws it",
    ),
    "boundary_on_others": Rule(
        "error",
        "the settlement is drawn on the ground of {value}, which another organisation drew and whose households would "
        "be placed in it",
        "cut it back to that border or leave it out, say from which day it holds where the other ended before, or "
        "agree with that organisation or the operator of this service who draws it",
    ),
    "boundary_trimmed": Rule(
        "warning",
        "the boundary lay by a little on {value}, which another organisation drew; it was cut back to that border",
        "look whether the border between the two is right",
    ),
    "ward_name_kept": Rule(
        "warning",
        "the file calls a ward otherwise than the city does: {value}; the ward keeps its name, which settlements of "
        "other organisations stand under too",
        "ask the operator of this service to rename the ward, or write its name as it is",
    ),
    "settlement_code_missing": Rule("error", "the settlement has no code", "give every settlement a code"),
    "settlement_code_shared": Rule(
        "error",
        "one code stands for different settlements: {value}",
        "give each settlement a code of its own, or name several columns that tell them apart together with --code, "
        'such as "Ward + Number"',
    ),
    "code_of_columns": Rule(
        "warning",
        "one column does not tell all apart as {field}; the columns {value} together do",
        "name them as the code, with the + between them, in the mapping profile or with --code",
    ),
    "parts_joined": Rule(
        "warning",
        "the [code|codes] {value} [stands|stand] on several rows near each other; their shapes are joined into "
        "one settlement",
        "give separate settlements separate codes",
    ),
    "settlements_without_outlines": Rule(
        "warning",
        "the file holds no outlines: rows are placed in its settlements by code or name, maps show those that have a "
        "position ({value}) as circles, and densities have no figure",
        "nothing, or load their outlines later under the same codes",
    ),
    "settlements_made": Rule(
        "warning",
        "the city did not have the settlements {value}, which rows name; they are made of what the rows say",
        "look for names that are one settlement written in two ways, and load outlines later under the same codes",
    ),
    "settlement_renamed": Rule(
        "warning",
        "the settlement has had another name so far: {value}; the code decides, and the new name holds",
        "nothing, if it is called so now; else correct the name and load the file again",
    ),
    "settlement_moved": Rule(
        "warning",
        "the settlement lies on none of the ground it lay on so far, but {value} away",
        "check that the code is the settlement's own",
    ),
    "settlements_missing": Rule(
        "warning",
        "the city has settlements that the file no longer has: {value}; they stay",
        "nothing, if they are still there; else end each with `vasti settlement end`, from the day it was no more",
    ),
    "attributes_missing": Rule(
        "warning",
        "no row of the table of attributes has the code or name {value}; the settlement keeps what its shape says",
        "correct the code in one of the two files, or add the row to the table",
    ),
    "attributes_ambiguous": Rule(
        "warning",
        "several rows of the table of attributes bear the name {value}; the settlement keeps what its shape says",
        "write the right code with the shape",
    ),
    "attributes_without_shape": Rule(
        "warning",
        "{field} has settlements that no shape belongs to: {value}",
        "draw their boundaries, or correct the code in one of the two files",
    ),
    "weights_missing": Rule(
        "warning",
        "the survey is a sample, and no row has a weight: figures of wards and cities count settlements as they "
        "happened to be sampled",
        "map the column of weights to `weight`, or load how many households each settlement has (`vasti load frame`)",
    ),
    # No error: weights may also correct an enumeration for the households that were not met.
    "weights_in_census": Rule(
        "warning",
        "the round is said to be a census, every household visited, and its rows have weights other than 1, as a "
        "sample has: its figures would have no interval, and the weighted households would count as the population",
        "if households were drawn, use a round whose --mode is sample; if every one was visited and nothing is to be "
        "weighed, leave the column of weights out of the profile",
    ),
    "sizes_unknown": Rule(
        "warning",
        "the file does not say how many live in most of its households, so figures count households where they would "
        "count people",
        "nothing, if nobody counted them; else say which column holds the household's members, or which columns add up "
        "to them",
    ),
    "frame_too_small": Rule(
        "warning",
        "more households were surveyed in {value} than its frame size",
        "correct the frame sizes, or look for households that were entered twice",
    ),
    "stratum_unknown": Rule(
        "error",
        "no household of the survey is in the [stratum|strata] {value}",
        "write the stratum as the survey's file does",
    ),
    "stratum_duplicate": Rule(
        "error", "the [stratum|strata] {value} [is|are] named more than once", "keep one row for each stratum"
    ),
    "frame_size_invalid": Rule(
        "error", "the number of households is {value}", "write a whole number, or leave the row out"
    ),
    "facility_code_missing": Rule(
        "error",
        "the facility has no code",
        "give every facility a code that stays the same, by which a later file can replace it",
    ),
    "facility_code_duplicate": Rule(
        "error", "the [code|codes] {value} [stands|stand] on an earlier row of this file", "keep one row a facility"
    ),
    "facility_code_made": Rule(
        "warning",
        "the file has no column of facilities' codes, so each is known by its kind and position, to about a metre",
        "name the column with the codes with --code, if there is one; a later file adds a facility again where it "
        "gives another position",
    ),
    "facility_repeated": Rule(
        "error",
        "the row has the kind and position of {value}, and no code tells the two apart; it counts once",
        "nothing, if it is the same facility; else give each a code",
        stops_load=False,
    ),
    "facility_position_repeated": Rule(
        "warning",
        "the row has the kind and position of {value}, and another code",
        "check whether it is the same facility twice",
    ),
    "facility_of_others": Rule(
        "error",
        "the [facility|facilities] {value} [was|were] given by another organisation",
        "leave it out, or give this one another code if it is not the same",
    ),
    "facility_kind_unknown": Rule(
        "error",
        "{value} [is no kind|are no kinds] of facility Vasti knows",
        "write community_toilet or water_point, or leave the row out",
    ),
    "facility_kind_differs": Rule(
        "error",
        "the row's kind is {value}, and --kind says that all of the file is of another",
        "leave --kind out, or correct the kind",
    ),
    "facility_position_missing": Rule(
        "error", "the facility has no position", "add its longitude and latitude, or draw it"
    ),
    "facility_position_slipped": Rule(
        "error", "the position lies far from the city, but {value}", "correct the columns (a minus is south or west)"
    ),
    "facility_far": Rule(
        "warning",
        "the facility lies outside the city, {value}",
        "check the position, and that the facility belongs to this city",
    ),
    "facility_too_far": Rule(
        "error",
        "the facility lies {value}; it would have to be within 50 km of one",
        "check the position and the CRS, or load it into its own city",
    ),
    "seats_invalid": Rule(
        "warning",
        "{field} is {value}, which [is no whole number|are no whole numbers] of seats; it is kept as unknown",
        "write a plain whole number, 0 or more",
    ),
    "seats_doubtful": Rule(
        "warning",
        "{field} is {value}, which forms write for don't know, and more than twice any other number of the column; it "
        "counts as it stands",
        "blank it where it stands for no answer",
    ),
    "seats_exceeded": Rule(
        "error", "more seats work than there are: {value}", "correct the seats, or the seats that work"
    ),
    "working_unreadable": Rule(
        "error",
        "{value} [says|say] neither that the facility works nor that it does not",
        "write yes or no, or leave it blank; where only some seats work, write yes and say how many",
    ),
    "working_contradicts_seats": Rule("error", "the row contradicts itself: {value}", "correct one of the two"),
    "working_told_by_seats": Rule(
        "warning",
        "the row does not say whether the facility works; since no seat does, it counts as not working",
        "write yes or no beside it",
    ),
    "facility_date_unreadable": Rule(
        "error",
        "{field} is {value}, which [is not a date|are not dates] in the expected form",
        "write dates as 2024-05-31",
    ),
    "facility_dates_reversed": Rule(
        "error",
        "the facility closes before it opens, or on the same day: {value}",
        "correct the dates; closed_on is the first day it no longer stands",
    ),
}
"""Every kind of finding by its code."""

FIXABLE = (
    *("latitude_sign_lost", "longitude_sign_lost", "signs_lost", "position_swapped", "position_swapped_sign_lost"),
    *("decimal_point_lost", "position_correctable"),
)
"""The kinds of findings whose rows can be read with their positions corrected."""

MISPLACED = (*FIXABLE, "position_impossible", "outside_every_settlement", "position_fixed", "near_settlement")
"""The kinds of findings that say of a row that it lies, or lay, in the wrong place."""
